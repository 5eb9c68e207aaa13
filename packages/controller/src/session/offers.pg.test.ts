/** What a person needs for signing in outside the VM: sealed, of one way, gone with it. */
import { randomBytes } from 'node:crypto';
import type { Offer } from '@vestibule/protocol/offer';
import { Secret } from '@vestibule/protocol/secret';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../db/testing.ts';
import { createLocalKey } from '../vault/local-key.ts';
import { createVault } from '../vault/vault.ts';
import { createOfferStore } from './offer-store.ts';
import { createOffers, type Offers } from './offers.ts';
import { createTestSessions } from './testing-sessions.ts';

const CANARY = 'canary-state-51c0';
const LINK: Offer = {
  ...{ mode: 'vm_browser', url: `https://sign-in.example.test/?state=${CANARY}`, codeUrl: null, deviceCode: null },
  ...{ callback: { port: 1455, path: '/cb' }, accepts: ['callback'], validForMs: null },
};
const CODE: Offer = {
  ...{ mode: 'device_code', url: 'https://sign-in.example.test/device', codeUrl: null, deviceCode: 'CANA-RY01' },
  ...{ callback: null, accepts: [], validForMs: 60_000 },
};

let database: TestDatabase;
let sessions: Awaited<ReturnType<typeof createTestSessions>>;
let offers: Offers;
const wrapper = createLocalKey(new Secret(randomBytes(32)));
const vault = createVault({ wrapper, keyStore: { register: () => Promise.resolve() } });

beforeAll(async () => {
  database = await createTestDatabase();
  sessions = await createTestSessions(database);
  await database.ownerPool.query(`insert into vault_keys (key_id, state) values ($1, 'active')`, [wrapper.keyId]);
  offers = createOffers({
    store: createOfferStore({ pool: database.appPool, onChange: () => undefined }),
    seal: (owner, text) => vault.sealOffer(owner, text),
    open: (record) => vault.openOffer(record),
  });
});
afterAll(() => database.close());

async function take(sessionId: string, offer: Offer): Promise<void> {
  await offers.take((await sessions.store.find(sessionId))!, offer);
}
async function toldOf(sessionId: string): Promise<Record<string, unknown>[]> {
  const steps = await sessions.store.listSteps(sessionId, 0);
  return steps.filter(({ type }) => type === 'offer_ready').map(({ data }) => data);
}
const isOffered = async (sessionId: string): Promise<boolean | undefined> =>
  (await sessions.store.find(sessionId))?.offered;

describe('an offer', () => {
  it('is shown as the agent made it, and each one told once, without what it holds (I7)', async () => {
    const { sessionId } = await sessions.awaitPerson();
    expect([await offers.find(sessionId), await isOffered(sessionId)]).toEqual([null, false]);
    await take(sessionId, LINK);
    await take(sessionId, LINK);
    await take(sessionId, { ...LINK, url: `${LINK.url}&again=1` });
    expect(await offers.find(sessionId)).toMatchObject({ way: 1, offer: { ...LINK, url: `${LINK.url}&again=1` } });
    expect(await isOffered(sessionId)).toBe(true);
    const told = { mode: 'vm_browser', kind: 'link', way: 1 };
    expect(await toldOf(sessionId)).toEqual([told, told]);
    const { rows } = await database.ownerPool.query<{ sealed_offer: Buffer }>(
      'select sealed_offer from session_offers',
    );
    for (const { sealed_offer: sealed } of rows) expect(sealed.includes(CANARY)).toBe(false);
    expect(JSON.stringify(await sessions.store.listSteps(sessionId, 0))).not.toContain(CANARY);
  });

  it('attack: an agent that changes its mind without end fills no timeline', async () => {
    const { sessionId } = await sessions.awaitPerson();
    for (let turn = 1; turn <= 25; turn += 1) await take(sessionId, { ...LINK, url: `${LINK.url}&turn=${turn}` });
    expect(await offers.find(sessionId)).toMatchObject({ offer: { url: `${LINK.url}&turn=25` } });
    expect(await toldOf(sessionId)).toHaveLength(20);
  });

  it('of a device code has the time that is left, which saying it again does not lengthen', async () => {
    const { sessionId } = await sessions.awaitPerson(undefined, undefined, { mode: 'device_code' });
    await take(sessionId, CODE);
    const end = async (): Promise<unknown> =>
      (await database.ownerPool.query('select expires_at from session_offers where session_id = $1', [sessionId])).rows;
    const before = await end();
    const found = await offers.find(sessionId);
    expect(found?.offer.validForMs).toBeLessThanOrEqual(60_000);
    await take(sessionId, CODE);
    expect(await end()).toEqual(before);
  });

  it('whose time is over is no longer there', async () => {
    const { sessionId } = await sessions.awaitPerson(undefined, undefined, { mode: 'device_code' });
    await take(sessionId, { ...CODE, validForMs: 0 });
    expect([await offers.find(sessionId), await isOffered(sessionId)]).toEqual([null, false]);
  });

  it('takes away what the program asked before', async () => {
    const { sessionId } = await sessions.awaitPerson();
    await sessions.store.showPrompt(sessionId, 'Press a key');
    await take(sessionId, LINK);
    expect((await sessions.store.find(sessionId))?.prompt).toBeNull();
  });

  it('of another way than the present one is dropped, whoever changed it', async () => {
    const { sessionId } = await sessions.awaitPerson();
    const before = (await sessions.store.find(sessionId))!;
    await sessions.store.changeMode(sessionId, 'own_browser');
    await offers.take(before, LINK);
    await take(sessionId, LINK);
    expect(await offers.find(sessionId)).toBeNull();
    expect(await toldOf(sessionId)).toEqual([]);
  });

  it('is gone with its way, and the next way tells of its own', async () => {
    const { sessionId } = await sessions.awaitPerson();
    await take(sessionId, LINK);
    await sessions.store.changeMode(sessionId, 'own_browser');
    expect([await offers.find(sessionId), await isOffered(sessionId)]).toEqual([null, false]);
    await take(sessionId, { ...LINK, mode: 'own_browser' });
    expect(await offers.find(sessionId)).toMatchObject({ way: 2, offer: { mode: 'own_browser' } });
    expect((await toldOf(sessionId)).map(({ way }) => way)).toEqual([1, 2]);
  });

  it('is gone when its session ends, and none is taken after it', async () => {
    const { sessionId } = await sessions.awaitPerson();
    const active = (await sessions.store.find(sessionId))!;
    await take(sessionId, LINK);
    await sessions.endSession(sessionId, 'cancelled');
    await offers.take(active, { ...LINK, url: 'https://other.example.test/' });
    expect(await offers.find(sessionId)).toBeNull();
  });

  it('of one session is not shown for another, nor does it open there or for another way (attack)', async () => {
    const mine = await sessions.awaitPerson();
    const other = await sessions.awaitPerson();
    await take(other.sessionId, LINK);
    expect(await offers.find(mine.sessionId)).toBeNull();
    await database.ownerPool.query(
      `insert into session_offers (session_id, way, sealed_offer, key_id)
       select $1, 1, sealed_offer, key_id from session_offers where session_id = $2`,
      [mine.sessionId, other.sessionId],
    );
    await expect(offers.find(mine.sessionId)).rejects.toThrow('cannot be opened');
    const sealed = await vault.sealOffer({ sessionId: mine.sessionId, way: 1 }, 'text');
    await expect(vault.openOffer({ sessionId: mine.sessionId, way: 2, ...sealed })).rejects.toThrow('cannot be opened');
  });

  it('that cannot be opened is replaced by what the agent says next: its link is not broken for ever', async () => {
    const { sessionId } = await sessions.awaitPerson();
    await database.ownerPool.query(
      `insert into session_offers (session_id, way, sealed_offer, key_id) values ($1, 1, 'junk', $2)`,
      [sessionId, wrapper.keyId],
    );
    await take(sessionId, LINK);
    expect(await offers.find(sessionId)).toMatchObject({ offer: LINK });
  });

  it('and the end of its session at the same moment leave nothing behind, whichever comes first', async () => {
    for (let turn = 0; turn < 10; turn += 1) {
      const { sessionId } = await sessions.awaitPerson();
      await Promise.all([take(sessionId, LINK), sessions.endSession(sessionId, 'cancelled')]);
      const { rows } = await database.ownerPool.query(
        'select from session_offers where session_id = $1 and sealed_offer is not null',
        [sessionId],
      );
      expect(rows).toEqual([]);
    }
  });
});
