/** What several hosts over one database know of each other: who lives, who failed to install, whose VMs are lost. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../db/testing.ts';
import { createTestSessions, TEST_HOST, toHandover } from '../session/testing-sessions.ts';

const HOLD_MS = 60_000;

let database: TestDatabase;
let sessions: Awaited<ReturnType<typeof createTestSessions>>;

beforeAll(async () => {
  database = await createTestDatabase();
  sessions = await createTestSessions(database);
});
afterAll(() => database.close());
beforeEach(() => database.ownerPool.query(`update hosts set providers = '{}', max_vms = 0`));

/** A host that was last seen so long ago. */
async function seen(hostId: string, agoMs: number, providers: string[] = ['demo'], maxVms = 2): Promise<void> {
  await sessions.vms.registerHost(hostId, 'fake', { peerUrl: `http://127.0.0.1/${hostId}`, providers, maxVms });
  await database.ownerPool.query(
    `update hosts set seen_at = clock_timestamp() - make_interval(secs => $2::float8 / 1000) where host_id = $1`,
    [hostId, agoMs],
  );
}
const typesOf = async (sessionId: string): Promise<string[]> =>
  (await sessions.store.listSteps(sessionId, 0)).map((step) => step.type);

describe('hosts', () => {
  it('count their places while they live', async () => {
    await seen('host_a', 0);
    await seen('host_b', 0, [], 3);
    await seen('host_gone', 60_000, [], 100);
    expect(await sessions.vms.countPlaces()).toBe(5);
  });

  it('say where the others reach them', async () => {
    await seen('host_a', 0);
    expect(await sessions.vms.findPeerUrl('host_a')).toBe('http://127.0.0.1/host_a');
    expect(await sessions.vms.findPeerUrl('host_unknown')).toBeNull();
  });
});

describe('a CLI that could not be installed', () => {
  const fail = (sessionId: string, hostId: string) =>
    sessions.store.appendOnce(sessionId, {
      type: 'layer_failed',
      actor: 'controller',
      data: { hostId, message: `${hostId}: no network` },
    });

  it('leaves the session to the hosts that live, offer the provider and have not failed', async () => {
    const sessionId = await sessions.begin();
    await seen('host_a', 0);
    await seen('host_b', 0);
    await seen('host_silent', 60_000);
    await seen('host_other', 0, ['wrangler']);
    const read = (hostId: string) => sessions.vms.readInstalls(sessionId, 'demo', hostId);
    expect(await read('host_a')).toEqual({ failedHere: false, message: null, hostLeft: true });
    await fail(sessionId, 'host_a');
    expect(await read('host_a')).toEqual({ failedHere: true, message: 'host_a: no network', hostLeft: true });
    expect(await read('host_b')).toEqual({ failedHere: false, message: 'host_a: no network', hostLeft: false });
    await fail(sessionId, 'host_b');
    expect(await read('host_a')).toEqual({ failedHere: true, message: 'host_b: no network', hostLeft: false });
    expect(await read('host_other')).toMatchObject({ failedHere: false, hostLeft: false });
  });

  it('is remembered for its own session only', async () => {
    const [failed, other] = [await sessions.begin(), await sessions.begin()];
    await fail(failed, 'host_a');
    expect(await sessions.vms.readInstalls(other, 'demo', 'host_a')).toMatchObject({
      failedHere: false,
      message: null,
    });
  });
});

describe('two hosts that wait for different reasons', () => {
  it('each say theirs once, and do not answer each other for ever', async () => {
    const sessionId = await sessions.begin();
    const say = (hostId: string, words: string) => sessions.store.setWaiting(sessionId, words, 'installing', hostId);
    const said: boolean[] = [];
    for (let round = 0; round < 5; round += 1)
      said.push(await say('host_a', 'full'), await say('host_b', 'installing'));
    expect(said).toEqual([true, true, ...Array.from({ length: 8 }, () => false)]);
    expect(await say('host_a', 'port in use')).toBe(true);
    expect((await typesOf(sessionId)).filter((type) => type === 'waiting')).toHaveLength(3);
  });
});

describe('a VM on a host that says nothing', () => {
  it('is lost only after its session ended and the hold passed, once', async () => {
    const { sessionId, vmId } = await sessions.awaitPerson();
    await seen(TEST_HOST, HOLD_MS + 1_000);
    expect(await sessions.vms.markLost(vmId, HOLD_MS)).toBe(false);
    await sessions.store.end(sessionId, { event: 'vm_ended', code: 'host_lost', message: 'lost', actor: 'controller' });
    await seen(TEST_HOST, HOLD_MS - 1_000);
    expect(await sessions.vms.markLost(vmId, HOLD_MS)).toBe(false);
    await seen(TEST_HOST, HOLD_MS + 1_000);
    const marked = await Promise.all([1, 2, 3].map(() => sessions.vms.markLost(vmId, HOLD_MS)));
    expect(marked.filter(Boolean)).toHaveLength(1);
    expect((await sessions.store.find(sessionId))?.vm?.state).toBe('lost');
    expect((await typesOf(sessionId)).filter((type) => type === 'vm_lost')).toHaveLength(1);
  });

  it('keeps its slot until its host destroys it', async () => {
    await seen('host_slot', HOLD_MS + 1_000);
    const place = async (vmId: string) => {
      const sessionId = await sessions.begin();
      const placement = { vmId, hostId: 'host_slot', runtime: 'fake', maxVms: 1, sessionMs: 60_000 } as const;
      return { sessionId, placed: await sessions.vms.place(sessionId, placement) };
    };
    const { sessionId } = await place('vm_slot_1');
    await sessions.store.end(sessionId, { event: 'vm_ended', code: 'host_lost', message: 'lost', actor: 'controller' });
    await sessions.vms.markLost('vm_slot_1', HOLD_MS);
    expect((await place('vm_slot_2')).placed).toBe(false);
    await sessions.vms.markDraining('vm_slot_1');
    await sessions.vms.markGone('vm_slot_1');
    expect((await place('vm_slot_3')).placed).toBe(true);
  });

  it('is looked after by its own host always, and by the others while it is to be given up', async () => {
    await seen('host_mine', 0);
    await seen('host_away', HOLD_MS - 1_000);
    const vmId = `vm_away_${randomUUID()}`;
    const sessionId = await sessions.begin();
    await sessions.vms.place(sessionId, { vmId, hostId: 'host_away', runtime: 'fake', maxVms: 1, sessionMs: 60_000 });
    const isListed = async (hostId: string): Promise<boolean> =>
      (await sessions.store.listUnsettled(hostId, HOLD_MS)).some((row) => row.sessionId === sessionId);
    expect([await isListed('host_mine'), await isListed('host_away')]).toEqual([true, true]);
    await sessions.store.end(sessionId, { event: 'vm_ended', code: 'host_lost', message: 'lost', actor: 'controller' });
    expect([await isListed('host_mine'), await isListed('host_away')]).toEqual([false, true]);
    await seen('host_away', HOLD_MS + 1_000);
    expect([await isListed('host_mine'), await isListed('host_away')]).toEqual([true, true]);
    await sessions.vms.markLost(vmId, HOLD_MS);
    expect([await isListed('host_mine'), await isListed('host_away')]).toEqual([false, true]);
    await sessions.vms.markGone(vmId);
    expect([await isListed('host_mine'), await isListed('host_away')]).toEqual([false, false]);
  });

  it('may still be heard of: a login that it hands over is refused and recorded', async () => {
    const session = await sessions.awaitPerson();
    await seen(TEST_HOST, HOLD_MS + 1_000);
    await sessions.store.end(session.sessionId, {
      event: 'vm_ended',
      code: 'host_lost',
      message: 'lost',
      actor: 'controller',
    });
    await sessions.vms.markLost(session.vmId, HOLD_MS);
    expect(await sessions.vms.greet(session.vmId, 'nonce-of-the-boot', 'build')).toMatchObject({
      sessionId: session.sessionId,
    });
    await expect(sessions.complete(session, toHandover())).rejects.toThrow('did not complete');
    expect(await sessions.store.recordLateRefusal(session.sessionId, randomUUID(), 'session_ended')).toBe(true);
    expect((await sessions.store.find(session.sessionId))?.vm?.state).toBe('lost');
  });
});
