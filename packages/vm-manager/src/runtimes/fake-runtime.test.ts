/** The runtime `fake`: the suite of every runtime, then its scripts as the controller meets them. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { describeRuntime } from '../runtime.conformance.ts';
import { createFakeRuntime } from './fake-runtime.ts';

const dir = mkdtempSync(join(tmpdir(), 'vestibule-fake-'));
const vmsDir = join(dir, 'vms');
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const open = () => createFakeRuntime({ installationId: 'fake1', vmsDir });

describeRuntime('fake', async () => ({
  open,
  newVmId: () => `vm_fake1_${randomBytes(4).toString('hex')}`,
  exitWith: async (vmId, code) => open().control(vmId).exit(code),
  killFirstProcess: async (vmId) => open().control(vmId).kill(),
  killSupervisor: async (vmId) => open().control(vmId).vanish(),
  makeDeaf: async (vmId) => open().control(vmId).freeze(),
  traces: async () => readdirSync(dir).flatMap((name) => (name === 'vms' ? readdirSync(vmsDir) : [])),
}));

it('outlives a VM whose end cannot be written down, and says that it vanished once that can be', async () => {
  const runtime = open();
  const vmId = `vm_fake1_${randomBytes(4).toString('hex')}`;
  await runtime.create({ vmId, slot: 0, layer: null, epoch: 1 });
  // In the way of the draft, as a full disk is.
  const obstacle = join(vmsDir, vmId, `exit.json.${process.pid}.tmp`);
  mkdirSync(obstacle);
  runtime.control(vmId).exit(1);
  await expect(runtime.inspect(vmId)).rejects.toThrow();
  rmSync(obstacle, { recursive: true });
  expect(await runtime.inspect(vmId)).toMatchObject({ state: 'exited', exit: { exitCode: null } });
  await runtime.destroy(vmId);
});
