/** What agents say again, wrongly, or in words a database cannot keep. */
import { createHash, randomUUID } from 'node:crypto';
import { LINK_VERSION, toHandoverBytes } from '@vestibule/protocol/agent-messages';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../db/testing.ts';
import { createAnswerStore } from './answer-store.ts';
import { type AgentReports, createAgentReports } from './agent-reports.ts';
import { createOutputStore } from './output-store.ts';
import { createTakeHandover } from './take-handover.ts';
import { toTestLoginPlan } from './testing-login-plan.ts';
import { createTestSessions, TEST_KEY, toHandover } from './testing-sessions.ts';

let database: TestDatabase;
let sessions: Awaited<ReturnType<typeof createTestSessions>>;

beforeAll(async () => {
  database = await createTestDatabase();
  sessions = await createTestSessions(database);
});
afterAll(() => database.close());

function createReports(expectedBuildId: string | null): AgentReports {
  const takeHandover = createTakeHandover({
    store: sessions.store,
    completions: sessions.completions,
    seal: async () => ({ credentialId: randomUUID(), encryptedData: Buffer.from('sealed'), keyId: TEST_KEY }),
    credentialFileSets: () => [['.demo']],
  });
  return createAgentReports({
    store: sessions.store,
    vms: sessions.vms,
    takeHandover,
    answers: createAnswerStore({ pool: database.appPool, onChange: () => undefined }),
    offers: { take: () => Promise.resolve() },
    outputs: createOutputStore({ pool: database.appPool, onChange: () => undefined }),
    toLoginPlan: (provider) => toTestLoginPlan(provider),
    expectedBuildId,
  });
}

describe('after the controller was upgraded while a person signs in', () => {
  it('goes on with the agent of the older build that it claimed before: nobody who signed in sees a failure', async () => {
    const { sessionId, vmId } = await sessions.awaitPerson();
    const hello = {
      type: 'hello',
      version: LINK_VERSION,
      vmId,
      bootNonce: 'nonce-of-the-boot',
      buildId: 'build',
    } as const;
    const greeting = await createReports('the-next-build').greet(vmId, { ...hello, abilities: [] });
    expect((await sessions.store.find(sessionId))?.status).toBe('awaiting_user_auth');
    expect(greeting?.sessionId).toBe(sessionId);
  });
});

describe('reports that come again at every new link', () => {
  it('appear once in the timeline', async () => {
    const { sessionId, vmId } = await sessions.awaitPerson();
    const reports = createReports(null);
    for (let link = 0; link < 3; link += 1) {
      await reports.report(vmId, sessionId, { type: 'cli_exited', exitCode: 0, signal: null });
      const problem = { type: 'credential_incomplete', path: '.demo', problem: 'unreadable', detail: 'half' } as const;
      await reports.report(vmId, sessionId, problem);
    }
    const types = (await sessions.store.listSteps(sessionId, 0)).map((step) => step.type);
    expect(types.filter((type) => type === 'cli_exited')).toHaveLength(1);
    expect(types.filter((type) => type === 'credential_incomplete')).toHaveLength(1);
  });

  it.each([
    ['a NUL', 'half\u0000written'],
    ['half a character', 'cut in the middle: \ud83d'],
  ])(
    'are recorded also with %s in their words: what the agent says after them must be heard',
    async (_what, detail) => {
      const { sessionId, vmId } = await sessions.awaitPerson();
      const report = { type: 'capability', name: 'network', ready: false, afterMs: 1, detail } as const;
      await expect(createReports(null).report(vmId, sessionId, report)).resolves.toBeNull();
    },
  );
});

describe('a hand-over with an account name that PostgreSQL cannot keep', () => {
  it('completes the session nevertheless', async () => {
    const { sessionId, vmId } = await sessions.awaitPerson();
    const files = [{ path: '.demo', contentBase64: 'e30=' }];
    const contentHash = createHash('sha256').update(toHandoverBytes(files)).digest('hex');
    const handover = toHandover({ files, contentHash, account: 'ada\u0000' });
    await expect(createReports(null).report(vmId, sessionId, handover)).resolves.toMatchObject({ result: 'stored' });
  });
});

describe('a hand-over that is refused as invalid', () => {
  it('ends the session in words at once: the agent has nothing else to offer and the person has done all', async () => {
    const { sessionId, vmId } = await sessions.awaitPerson();
    const answer = await createReports(null).report(
      vmId,
      sessionId,
      toHandover({ files: [{ path: '.other', contentBase64: 'e30=' }] }),
    );
    expect(answer).toMatchObject({ result: 'refused', reason: 'invalid' });
    expect(await sessions.store.find(sessionId)).toMatchObject({ status: 'failed' });
  });

  it('says in the timeline why it was refused, and that it was not the agent who did', async () => {
    const { sessionId, vmId } = await sessions.awaitPerson();
    const handover = toHandover({ files: [{ path: '.other', contentBase64: 'e30=' }] });
    await createReports(null).report(vmId, sessionId, handover);
    expect((await sessions.store.listSteps(sessionId, 0)).slice(-2)).toMatchObject([
      { type: 'handover_refused', actor: 'controller', data: { handoverId: handover.handoverId, reason: 'invalid' } },
      { type: 'session_failed', actor: 'controller', data: { code: 'store_failed', cause: 'sign_in_failed' } },
    ]);
  });
});
