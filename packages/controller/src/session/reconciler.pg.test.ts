/** What must not keep the one loop from going on. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toFakeScript } from '@vestibule/vm-manager/fake/fake-script';
import { createFakeRuntime } from '@vestibule/vm-manager/runtimes/fake-runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../clock.ts';
import { AgentLinks } from '../agent-link/agent-links.ts';
import { createTestDatabase, type TestDatabase } from '../db/testing.ts';
import { createRuntimeHost } from '../fleet/runtime-host.ts';
import { createLogger } from '../telemetry/logger.ts';
import type { Host } from './reconciler-ports.ts';
import { createReconciler } from './reconciler.ts';
import { createTestSessions } from './testing-sessions.ts';

let database: TestDatabase;
let sessions: Awaited<ReturnType<typeof createTestSessions>>;
const root = mkdtempSync(join(tmpdir(), 'vestibule-reconciler-'));

beforeAll(async () => {
  database = await createTestDatabase();
  sessions = await createTestSessions(database);
});
afterAll(async () => {
  await database.close();
  rmSync(root, { recursive: true });
});

function start(change: (host: Host) => Partial<Host>) {
  const { logger: log } = createLogger({ level: 'silent' });
  const installationId = 'abcd1234';
  const runtime = createFakeRuntime({
    installationId,
    vmsDir: join(root, 'vms'),
    script: () => toFakeScript({ signIn: 'never' }),
  });
  const plain = createRuntimeHost({ runtime, installationId, maxVms: 10, findLayer: () => null });
  const host = { ...plain, ...change(plain) };
  const links = new AgentLinks({
    connect: (vmId) => runtime.connect(vmId, 'agent'),
    reports: { greet: () => Promise.resolve(null), report: () => Promise.resolve(null) },
    onFact: () => undefined,
    clock: systemClock,
    log,
  });
  const reconciler = createReconciler({
    store: sessions.store,
    vms: sessions.vms,
    host,
    layers: { fact: () => ({ state: 'ready' }), install: () => undefined },
    links,
    findBlocker: () => null,
    limits: { holdMs: 1_000, bootMs: 60_000, sessionMs: 60_000 },
    clock: systemClock,
    log,
  });
  reconciler.start();
  return {
    async stop() {
      await reconciler.stop();
      links.close();
      for (const vmId of await runtime.list()) await runtime.destroy(vmId);
    },
  };
}

describe('the reconciler', () => {
  it.each<[string, (host: Host) => Partial<Host>]>([
    [
      'a leftover that cannot be destroyed',
      (host) => ({
        list: async () => [...(await host.list()), 'vm_abcd1234_leftover'],
        destroy: (vmId) =>
          vmId.endsWith('leftover') ? Promise.reject(new Error('survives SIGKILL')) : host.destroy(vmId),
      }),
    ],
    [
      'a leftover whose destruction hangs',
      (host) => ({
        list: async () => [...(await host.list()), 'vm_abcd1234_leftover'],
        destroy: (vmId) => (vmId.endsWith('leftover') ? new Promise(() => undefined) : host.destroy(vmId)),
      }),
    ],
    ['a system that cannot list what it runs', () => ({ list: () => Promise.reject(new Error('no /proc')) })],
  ])('starts sign-ins in spite of %s', async (_what, change) => {
    const sessionId = await sessions.begin();
    const app = start(change);
    try {
      const vm = async (): Promise<unknown> => (await sessions.store.find(sessionId))?.vm ?? null;
      await expect.poll(vm, { timeout: 5_000 }).not.toBeNull();
    } finally {
      await Promise.race([app.stop(), new Promise((resolve) => setTimeout(resolve, 1_000))]);
    }
  });
});
