/** What must not keep the one loop from going on. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toFakeScript } from '@vestibule/vm-manager/fake/fake-script';
import { createFakeRuntime } from '@vestibule/vm-manager/runtimes/fake-runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../clock.ts';
import { AgentLinks } from '../agent-link/agent-links.ts';
import { createTestDatabase, type TestDatabase } from '../db/testing.ts';
import { createRuntimeHost } from '../fleet/runtime-host.ts';
import { createLogger } from '../telemetry/logger.ts';
import type { Host } from './reconciler-ports.ts';
import { createReconciler } from './reconciler.ts';
import { toTestLoginPlan } from './testing-login-plan.ts';
import { createTestSessions } from './testing-sessions.ts';

let database: TestDatabase;
let sessions: Awaited<ReturnType<typeof createTestSessions>>;
const HOLD_MS = 1_000;
const root = mkdtempSync(join(tmpdir(), 'vestibule-reconciler-'));

beforeAll(async () => {
  database = await createTestDatabase();
  sessions = await createTestSessions(database);
});
afterAll(async () => {
  await database.close();
  rmSync(root, { recursive: true });
});

function start(change: (host: Host) => Partial<Host>, { clock = systemClock, vms = sessions.vms } = {}) {
  const { logger: log } = createLogger({ level: 'silent' });
  const installationId = 'abcd1234';
  const runtime = createFakeRuntime({
    installationId,
    vmsDir: join(root, 'vms'),
    script: () => toFakeScript({ signIn: 'never' }),
  });
  const plain = createRuntimeHost({
    runtime,
    installationId,
    maxVms: 10,
    findProviders: () => ['demo'],
    findPeerUrl: () => null,
    looked: Promise.resolve(),
    findLayer: () => null,
  });
  const host = { ...plain, ...change(plain) };
  const links = new AgentLinks({
    connect: (vmId) => runtime.connect(vmId, 'agent'),
    reports: { greet: () => Promise.resolve(null), report: () => Promise.resolve(null) },
    onFact: () => undefined,
    clock: systemClock,
    awake: systemClock,
    log,
  });
  const reconciler = createReconciler({
    store: sessions.store,
    vms,
    host,
    layers: { fact: () => ({ state: 'ready' }), install: () => undefined },
    links,
    findBlocker: () => null,
    toLoginPlan: (provider) => toTestLoginPlan(provider),
    limits: { holdMs: HOLD_MS, bootMs: 60_000, sessionMs: 60_000 },
    clock,
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

  it('says that its host lives more often than the hold is long, so that no other controller takes it for silent', async () => {
    let now = 0;
    // Every wait is over at once, and the time with it.
    const clock: Clock = {
      nowMs: () => now,
      after(ms, call) {
        const timer = setImmediate(() => {
          now += ms;
          call();
        });
        return () => clearImmediate(timer);
      },
    };
    const beats: number[] = [];
    const registerHost = async (): Promise<void> => void beats.push(now);
    const app = start(() => ({}), { clock, vms: { ...sessions.vms, registerHost } });
    await expect.poll(() => now > 20_000, { timeout: 10_000 }).toBe(true);
    await app.stop();
    const gaps = beats.slice(1).map((beat, index) => beat - (beats[index] ?? 0));
    expect(Math.max(...gaps)).toBeLessThan(HOLD_MS);
  });
});
