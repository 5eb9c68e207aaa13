/**
 * The product's path of completing a session, from the agent's message to the answer it is sent: every read, the check of the bytes, the
 * sealing under the master key, the completing statement, and the hint to other controllers. Many clients in one process, as in a controller.
 */
import { createHash } from 'node:crypto';
import type { Handover } from '@vestibule/protocol/agent-messages';
import { toHandoverBytes } from '@vestibule/protocol/agent-messages';
import type { Pool } from 'pg';
import { createChangeNotices } from '../../packages/controller/src/db/change-notices.ts';
import { createVmStore } from '../../packages/controller/src/fleet/vm-store.ts';
import { createAgentReports } from '../../packages/controller/src/session/agent-reports.ts';
import { createCompletionStore } from '../../packages/controller/src/session/completion-store.ts';
import { createSessionStore } from '../../packages/controller/src/session/session-store.ts';
import { createTakeHandover } from '../../packages/controller/src/session/take-handover.ts';
import { createLogger } from '../../packages/controller/src/telemetry/logger.ts';
import type { Vault } from '../../packages/controller/src/vault/vault.ts';
import { toScatteredId, toSessionId, toVmId } from './waiting-sessions.ts';

const PATH = '.config/demo/credentials.json';
/** About what the CLIs write. */
const TOKEN_CHARS = 400;

/** What the agent of session `n` hands over. */
export function toNumberedHandover(n: number): Handover {
  const content = JSON.stringify({ token: createHash('sha512').update(`${n}`).digest('hex').padEnd(TOKEN_CHARS, 'x') });
  const files = [{ path: PATH, contentBase64: Buffer.from(content).toString('base64') }];
  return {
    type: 'handover',
    handoverId: toScatteredId('handover', n),
    contentHash: createHash('sha256').update(toHandoverBytes(files)).digest('hex'),
    files,
    account: 'bench@example.test',
    expiresAt: null,
    evidence: ['files_complete'],
  };
}

export type CompletionClients = {
  /** Throws when the answer is not `stored`. */
  completeOne(handover: Handover, n: number): Promise<void>;
  close(): Promise<void>;
};

export function createCompletionClients({ pool, vault }: { pool: Pool; vault: Vault }): CompletionClients {
  const { logger: log } = createLogger({ level: 'silent' });
  const notices = createChangeNotices({ pool, onChange: () => undefined, log });
  const onChange = (sessionId: string): void => notices.publish(sessionId);
  const deps = { pool, graceMs: 30_000, onChange, onEnded: () => undefined };
  const [store, vms] = [createSessionStore(deps), createVmStore(deps)];
  const takeHandover = createTakeHandover({
    store,
    completions: createCompletionStore(deps),
    seal: (owner, files) => vault.seal(owner, files),
    credentialFileSets: () => [[PATH]],
  });
  const toLoginPlan = (): never => {
    throw new Error('no agent is greeted here');
  };
  const reports = createAgentReports({
    ...{ store, vms, takeHandover, toLoginPlan, expectedBuildId: null },
    answers: { markDelivered: toLoginPlan, markRefused: toLoginPlan },
    offers: { take: toLoginPlan },
    outputs: { add: toLoginPlan },
  });
  return {
    async completeOne(handover, n) {
      const answer = await reports.report(toVmId(n), toSessionId(n), handover);
      if (answer?.type !== 'handover_answer' || answer.result !== 'stored')
        throw new Error(`session ${n} was answered ${JSON.stringify(answer)}`);
    },
    close: () => notices.close(),
  };
}
