/** Two hosts' reconcilers over one database, of which one cannot install the CLI. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFakeRuntime } from '@vestibule/vm-manager/runtimes/fake-runtime';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { AgentLinks } from '../agent-link/agent-links.ts';
import { systemClock } from '../clock.ts';
import { createTestDatabase, type TestDatabase } from '../db/testing.ts';
import { createRuntimeHost } from '../fleet/runtime-host.ts';
import { createLogger } from '../telemetry/logger.ts';
import type { LayerFact } from './plan.ts';
import { createReconciler } from './reconciler.ts';
import { toTestLoginPlan } from './testing-login-plan.ts';
import { createTestSessions } from './testing-sessions.ts';

let database: TestDatabase;
let sessions: Awaited<ReturnType<typeof createTestSessions>>;
const root = mkdtempSync(join(tmpdir(), 'vestibule-hosts-'));
const stops: (() => Promise<void>)[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  sessions = await createTestSessions(database);
});
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});
afterAll(async () => {
  await database.close();
  rmSync(root, { recursive: true });
});

/** `layer.now` is how the installation stands there; `installs` counts how often it was begun. */
function start(installationId: string, layer: { now: LayerFact }): { hostId: string; installs: () => number } {
  const { logger: log } = createLogger({ level: 'silent' });
  const runtime = createFakeRuntime({ installationId, vmsDir: join(root, installationId) });
  const host = createRuntimeHost({
    ...{ runtime, installationId, maxVms: 10, findLayer: () => null },
    ...{ findProviders: () => ['demo'], findPeerUrl: () => null, looked: Promise.resolve() },
  });
  const links = new AgentLinks({
    connect: () => Promise.reject(new Error('nobody is dialled here')),
    reports: { greet: () => Promise.resolve(null), report: () => Promise.resolve(null) },
    onFact: () => undefined,
    clock: systemClock,
    awake: systemClock,
    log,
  });
  let installs = 0;
  const reconciler = createReconciler({
    ...{ store: sessions.store, vms: sessions.vms, host, links, clock: systemClock, log },
    layers: { fact: () => layer.now, install: () => void (installs += 1) },
    findBlocker: () => null,
    toLoginPlan: (provider) => toTestLoginPlan(provider),
    limits: { holdMs: 60_000, bootMs: 60_000, sessionMs: 60_000 },
  });
  reconciler.start();
  stops.push(async () => {
    await reconciler.stop();
    links.close();
    for (const vmId of await runtime.list()) await runtime.destroy(vmId);
    await database.ownerPool.query(`update hosts set seen_at = now() - interval '1 hour' where host_id = $1`, [
      host.hostId,
    ]);
  });
  return { hostId: host.hostId, installs: () => installs };
}

const FAILED = { state: 'failed', message: 'demo: no network' } as const;
async function failuresOf(sessionId: string): Promise<unknown[]> {
  const steps = await sessions.store.listSteps(sessionId, 0);
  return steps.filter(({ type }) => type === 'layer_failed').map(({ data }) => data['hostId']);
}

describe('a CLI that cannot be installed on one of two hosts', () => {
  it('does not end the session, which the other host runs once it is ready', async () => {
    const [onA, onB] = [{ now: FAILED as LayerFact }, { now: { state: 'installing' } as LayerFact }];
    const [a, b] = [start('aaaa0001', onA), start('bbbb0001', onB)];
    const sessionId = await sessions.begin();
    await expect.poll(() => failuresOf(sessionId)).toEqual([a.hostId]);
    // The host forgets; the session does not ask it again.
    onA.now = { state: 'missing' };
    onB.now = { state: 'ready' };
    await expect
      .poll(async () => (await sessions.store.find(sessionId))?.vm?.hostId, { timeout: 5_000 })
      .toBe(b.hostId);
    expect([await failuresOf(sessionId), a.installs()]).toEqual([[a.hostId], 0]);
  });

  it('ends the session in words when it fails on the other one too', async () => {
    const [a, b] = [start('aaaa0002', { now: FAILED }), start('bbbb0002', { now: FAILED })];
    const sessionId = await sessions.begin();
    await expect.poll(async () => (await sessions.store.find(sessionId))?.status, { timeout: 5_000 }).toBe('failed');
    expect((await sessions.store.find(sessionId))?.errorMessage).toContain('demo: no network');
    expect(new Set(await failuresOf(sessionId))).toEqual(new Set([a.hostId, b.hostId]));
  });

  it('ends the session when the other one dies before it is ready', async () => {
    const a = start('aaaa0003', { now: FAILED });
    const b = start('bbbb0003', { now: { state: 'installing' } });
    const sessionId = await sessions.begin();
    await expect.poll(() => failuresOf(sessionId)).toEqual([a.hostId]);
    expect((await sessions.store.find(sessionId))?.status).toBe('started');
    await stops.pop()?.();
    await expect
      .poll(async () => (await sessions.store.find(sessionId))?.errorCode, { timeout: 5_000 })
      .toBe('cli_install_failed');
    expect(await failuresOf(sessionId)).not.toContain(b.hostId);
  });
});
