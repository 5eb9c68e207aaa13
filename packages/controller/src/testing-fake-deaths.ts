/** Test support: the VM death matrix on the runtime `fake`, over a whole controller in this process. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FakeControl } from '@vestibule/vm-manager/fake/fake-machine';
import { createFakeRuntime, type FakeRuntime } from '@vestibule/vm-manager/runtimes/fake-runtime';
import { createTestDatabase } from './db/testing.ts';
import { startOutageProxy } from './db/testing-outage.ts';
import type { DeathMoment } from './session/testing-death-matrix.ts';
import { startTestApp, type TestApp, type TestAppOptions } from './testing-app.ts';
import { type DeathRig, type VmDeath, waitUntil } from './testing-deaths.ts';

const SCRIPT_AT: Partial<Record<DeathMoment, Record<string, unknown>>> = {
  starting: { bootMs: 3_600_000 },
  before_url: { hold: 'claimed' },
  awaiting_person: { signIn: 'never' },
  file_incomplete: { hold: 'cli_exited' },
};

const END: Record<VmDeath, (vm: FakeControl) => void> = {
  clean: (vm) => vm.exit(0),
  non_zero: (vm) => vm.exit(3),
  signal: (vm) => vm.kill(),
  vanished: (vm) => vm.vanish(),
  frozen: (vm) => vm.freeze(),
};

/** Finds the VMs of the controller over this data folder. */
export function openFakeVms(dataDir: string): FakeRuntime {
  const installationId = readFileSync(join(dataDir, 'installation-id'), 'utf8').trim();
  return createFakeRuntime({ installationId, vmsDir: join(dataDir, 'vms') });
}

function canBeReached(vms: FakeRuntime, vmId: string, channel: 'agent' | 'display'): Promise<boolean> {
  return vms.connect(vmId, channel).then(
    (stream) => {
      stream.destroy();
      return true;
    },
    () => false,
  );
}

/** A controller whose VMs come to this moment and stay there. */
export async function openFakeDeaths(moment: DeathMoment): Promise<DeathRig & { close(): Promise<void> }> {
  const database = await createTestDatabase();
  const outage = await startOutageProxy(database.owner);
  // The link of a dead VM is read for no longer than the hold.
  const env = { VESTIBULE_HOLD_SECONDS: moment === 'handover_in_flight' ? '4' : '1' };
  const options: TestAppOptions = { fakeScript: SCRIPT_AT[moment] ?? {}, env };
  const start = (dataDir?: string): Promise<TestApp> =>
    startTestApp({ ...database, owner: outage.config }, dataDir === undefined ? options : { ...options, dataDir });
  let app = await start();
  const others: TestApp[] = [];
  const vms = openFakeVms(app.dataDir);

  return {
    pool: database.ownerPool,
    async begin() {
      return (await app.client.createSession({ userId: randomUUID(), provider: 'demo' })).sessionId;
    },
    async isAt(vmId) {
      if (moment === 'starting') return (await vms.inspect(vmId)).state === 'running';
      // Told to close its display, which follows the commit.
      return moment !== 'in_grace' || !(await canBeReached(vms, vmId, 'display'));
    },
    async endVm(vmId, way) {
      END[way](vms.control(vmId));
    },
    async isolate(vmId) {
      vms.control(vmId).isolate();
    },
    async resurface(vmId, way) {
      await app.stop();
      await vms.create({ vmId, slot: 0, epoch: 1, layer: null });
      END[way](vms.control(vmId));
      app = await start(app.dataDir);
      await waitUntil('the host has cleared up', async () => (await vms.list()).length === 0);
    },
    async loseHost() {
      outage.cut();
      others.push(await startTestApp(database, options));
    },
    async close() {
      outage.restore();
      for (const each of [app, ...others]) await each.remove();
      await outage.stop();
      await database.close();
    },
  };
}
