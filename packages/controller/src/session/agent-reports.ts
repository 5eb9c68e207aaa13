/** What the agent of a VM says, turned into rows: facts are recorded here, and the reconciler draws the conclusions. */
import type { AgentMessage, ControllerMessage, Hello, LoginPlan } from '@vestibule/protocol/agent-messages';
import { LINK_VERSION } from '@vestibule/protocol/agent-messages';
import type { Mode } from '@vestibule/protocol/session';
import { toFailureMessage } from '@vestibule/protocol/session-failure';
import type { AnswerStore } from './answer-store.ts';
import type { VmStore } from '../fleet/vm-store.ts';
import type { Offers } from './offers.ts';
import type { OutputStore } from './output-store.ts';
import type { NewStep, SessionRow } from './session-row.ts';
import type { SessionStore } from './session-store.ts';
import type { TakeHandover } from './take-handover.ts';

/** Messages that carry facts about the session; `hello`, `settled` and `answer_delivered` concern the link itself. */
export type AgentReport = Exclude<AgentMessage, { type: 'hello' | 'settled' }>;

export type Greeting = { sessionId: string; claim: Extract<ControllerMessage, { type: 'claim' }> };

export type AgentReportsDeps = {
  store: SessionStore;
  vms: VmStore;
  takeHandover: TakeHandover;
  answers: Pick<AnswerStore, 'markDelivered' | 'markRefused'>;
  offers: Pick<Offers, 'take'>;
  outputs: Pick<OutputStore, 'add'>;
  toLoginPlan: (provider: string, mode: Mode) => LoginPlan;
  /** Hash of the agent's bundle that this controller ships; null accepts any (the `fake` runtime's agent is no bundle). */
  expectedBuildId: string | null;
};

export type AgentReports = ReturnType<typeof createAgentReports>;

export function createAgentReports(deps: AgentReportsDeps) {
  const { store, vms } = deps;

  async function fail(
    actor: NewStep['actor'],
    sessionId: string,
    code: Parameters<typeof toFailureMessage>[0],
    detail: string,
  ): Promise<void> {
    const message = toFailureMessage(code, detail);
    await store.end(sessionId, { event: 'sign_in_failed', code, message, actor });
  }

  async function note(sessionId: string, type: NewStep['type'], data: Record<string, unknown>): Promise<void> {
    await store.appendOnce(sessionId, { type, actor: 'agent', data });
  }

  async function getRow(vmId: string, sessionId: string): Promise<SessionRow> {
    const row = await store.find(sessionId);
    if (row === null) throw new Error(`session ${sessionId} of ${vmId} is not in the database`);
    return row;
  }

  return {
    /** Answers a hello with the claim of the VM's session; null when this link must not be used. */
    async greet(vmId: string, hello: Hello): Promise<Greeting | null> {
      if (hello.vmId !== vmId || hello.version !== LINK_VERSION) return null;
      const greeted = await vms.greet(vmId, hello.bootNonce, hello.buildId);
      if (greeted === null || greeted.sessionId === null) return null;
      const { sessionId, epoch } = greeted;
      // An agent that was claimed before an upgrade may hold a login; it speaks the same version.
      const isOther = deps.expectedBuildId !== null && hello.buildId !== deps.expectedBuildId;
      if (isOther && !greeted.claimedBefore) {
        await fail('controller', sessionId, 'vm_start_failed', 'its agent is another build than this server ships');
        return null;
      }
      await vms.markClaimed(vmId);
      await store.claim(sessionId, vmId, { epoch });
      const row = await store.find(sessionId);
      if (row === null) return null;
      const remainingMs = Math.max(0, row.expiresAt.getTime() - row.now.getTime());
      const { way, mode, mayUse } = row;
      const plan = deps.toLoginPlan(row.provider, mode);
      const base = { type: 'claim', version: LINK_VERSION, epoch, sessionId, remainingMs } as const;
      return { sessionId, claim: { ...base, way, mode, plan, mayUse } };
    },

    /** Records one report and returns what to answer, if anything. Throws when nothing can be said for sure: close the link then. */
    async report(vmId: string, sessionId: string, message: AgentReport): Promise<ControllerMessage | null> {
      switch (message.type) {
        case 'capability':
          if (message.ready) await store.addCapability(sessionId, message.name, Math.round(message.afterMs));
          else await note(sessionId, 'waiting', { capability: message.name, detail: message.detail ?? '' });
          return null;
        case 'url_opened':
          await store.openUrl(sessionId, { from: message.from, origin: message.origin });
          return null;
        case 'cli_exited':
          await note(sessionId, 'cli_exited', { exitCode: message.exitCode, signal: message.signal });
          return null;
        case 'credential_incomplete':
          await note(sessionId, 'credential_incomplete', {
            path: message.path,
            problem: message.problem,
            detail: message.detail,
          });
          return null;
        case 'answer_delivered':
          await deps.answers.markDelivered(sessionId, message.answerId);
          return null;
        case 'answer_refused':
          await deps.answers.markRefused(sessionId, message.answerId, message.words);
          return null;
        case 'offer':
          await deps.offers.take(await getRow(vmId, sessionId), message.offer);
          return null;
        case 'output':
          await deps.outputs.add(sessionId, { n: message.n, text: message.text });
          return null;
        case 'prompt_shown':
          await store.showPrompt(sessionId, message.text);
          return null;
        case 'sign_in_failed':
          await fail('agent', sessionId, message.code, message.detail);
          return null;
        case 'handover': {
          const answer = await deps.takeHandover(await getRow(vmId, sessionId), vmId, message);
          // The agent has nothing else to offer.
          if (answer.reason === 'invalid')
            await fail('controller', sessionId, 'store_failed', 'it is not what was asked for');
          if (answer.reason === 'too_large')
            await fail('controller', sessionId, 'credential_too_large', 'all files together');
          return answer;
        }
        default:
          return message satisfies never;
      }
    },
  };
}
