/**
 * Takes a credential that an agent hands over, idempotently, and answers only what is committed (I5, I6).
 * An error thrown from here means "unknown": the link is closed, the agent offers again, and the rows are read again.
 */
import { createHash } from 'node:crypto';
import type { ControllerMessage, CredentialFiles, Handover } from '@vestibule/protocol/agent-messages';
import { MAX_CREDENTIAL_BYTES, toHandoverBytes } from '@vestibule/protocol/agent-messages';
import { toFailureMessage } from '@vestibule/protocol/session-failure';
import { isCredentialFileSet } from '../providers/credential-files.ts';
import type { CompletionStore, SealedCredential } from './completion-store.ts';
import { isActive, type SessionRow } from './session-row.ts';
import type { SessionStore } from './session-store.ts';
import { findWrongAccount } from './wrong-account.ts';

export type HandoverAnswer = Extract<ControllerMessage, { type: 'handover_answer' }>;
export type RefusalReason = NonNullable<HandoverAnswer['reason']>;

export type TakeHandoverDeps = {
  store: SessionStore;
  completions: CompletionStore;
  /** Seals the files for this user and provider under a fresh credential id. */
  seal: (owner: { userId: string; provider: string }, files: CredentialFiles) => Promise<SealedCredential>;
  /** The sets of files, by path, that the provider's definition says may be its login. */
  credentialFileSets: (provider: string) => readonly (readonly string[])[];
};

/** Why the offer cannot be what the provider's CLI wrote, or null. */
export function findFault(handover: Handover, fileSets: readonly (readonly string[])[]): RefusalReason | null {
  const paths = handover.files.map((file) => file.path);
  const bytes = handover.files.reduce((sum, file) => sum + Buffer.byteLength(file.contentBase64, 'base64'), 0);
  if (bytes > MAX_CREDENTIAL_BYTES) return 'too_large';
  const same = isCredentialFileSet(paths, fileSets);
  const hash = createHash('sha256').update(toHandoverBytes(handover.files)).digest('hex');
  return same && bytes > 0 && hash === handover.contentHash ? null : 'invalid';
}

/** `row` as just read: a session that was active then is not read again before it is completed, as the completing statement guards itself. */
export type TakeHandover = (row: SessionRow, vmId: string, handover: Handover) => Promise<HandoverAnswer>;

export function createTakeHandover(deps: TakeHandoverDeps): TakeHandover {
  const { store, completions } = deps;

  async function answerFromRows(row: SessionRow, vmId: string, handover: Handover): Promise<HandoverAnswer | 'active'> {
    const { handoverId } = handover;
    const state = await completions.readHandover(row.sessionId, vmId, handover);
    switch (state?.kind) {
      case 'active':
        return 'active';
      case 'stored':
        return { type: 'handover_answer', handoverId, result: 'stored' };
      case 'stored_other':
        await store.recordLateRefusal(row.sessionId, handoverId, 'already_stored_other');
        return { type: 'handover_answer', handoverId, result: 'refused', reason: 'already_stored_other' };
      case 'ended':
        await store.recordLateRefusal(row.sessionId, handoverId, 'session_ended');
        return { type: 'handover_answer', handoverId, result: 'refused', reason: 'session_ended' };
      case undefined:
        return { type: 'handover_answer', handoverId, result: 'refused', reason: 'session_ended' };
      default:
        return state satisfies never;
    }
  }

  /** Ends the session; false when it had ended before. */
  async function refuseAccount(row: SessionRow, handover: Handover, detail: string): Promise<boolean> {
    const data = { handoverId: handover.handoverId, reason: 'wrong_account' };
    await store.append(row.sessionId, { type: 'handover_refused', actor: 'controller', data });
    const message = toFailureMessage('wrong_account', detail);
    return store.end(row.sessionId, { event: 'sign_in_failed', code: 'wrong_account', message, actor: 'controller' });
  }

  return async function takeHandover(row, vmId, handover) {
    const refused = { type: 'handover_answer', handoverId: handover.handoverId, result: 'refused' } as const;
    // The agent offers again at every new link what ended the session: that is not a login that came too late.
    if (row.errorCode === 'wrong_account' && row.vm?.vmId === vmId) return { ...refused, reason: 'session_ended' };
    if (!isActive(row) || row.vm?.vmId !== vmId) {
      const before = await answerFromRows(row, vmId, handover);
      if (before !== 'active') return before;
    }
    const fault = findFault(handover, deps.credentialFileSets(row.provider));
    if (fault !== null) {
      const data = { handoverId: handover.handoverId, reason: fault };
      await store.append(row.sessionId, { type: 'handover_refused', actor: 'controller', data });
      return { type: 'handover_answer', handoverId: handover.handoverId, result: 'refused', reason: fault };
    }
    const wrong = findWrongAccount(row.restriction, handover);
    if (wrong !== null) {
      const ended = (await refuseAccount(row, handover, wrong)) ? 'active' : await answerFromRows(row, vmId, handover);
      return ended === 'active' ? { ...refused, reason: 'session_ended' } : ended;
    }
    const sealed = await deps.seal({ userId: row.userId, provider: row.provider }, handover.files);
    // True only after commit: nothing is left to be read. Otherwise it had ended, perhaps by these very bytes.
    const completed = await completions.complete(row.sessionId, vmId, handover, sealed);
    if (completed) return { type: 'handover_answer', handoverId: handover.handoverId, result: 'stored' };
    const after = await answerFromRows(row, vmId, handover);
    if (after === 'active') throw new Error('the credential could not be stored: the vault key is not active');
    return after;
  };
}
