/** What the HTTP layer needs from the use cases; `app.ts` supplies it. HTTP knows nothing else of the controller. */
import type { Duplex } from 'node:stream';
import type { CredentialFiles } from '@vestibule/protocol/agent-messages';
import type {
  AnswerBody,
  CreateSessionBody,
  Credential,
  LeftoverRemoval,
  Leftovers,
  OutputChunk,
  ProviderFiles,
  ProvidersAnswer,
  Session,
  SessionOffer,
  SessionPush,
  Ticket,
  Timeline,
} from '@vestibule/protocol/api';
import type { Mode } from '@vestibule/protocol/session';

export type ApiPorts = {
  providers: {
    /** With `userId`, each provider has the way suggested for that person. */
    list(userId?: string): Promise<ProvidersAnswer>;
    /** Throws `unknown_provider`. */
    files(provider: string): ProviderFiles;
    /** Accepting twice is once. Throws `unknown_provider`, and `notice_changed` when the text is another one now. */
    acceptNotice(provider: string, hash: string): Promise<void>;
  };
  sessions: {
    /** `created` is false when the active session of that user and provider is returned instead (I9). Throws `AppError`. */
    create(body: CreateSessionBody): Promise<{ session: Session; created: boolean }>;
    /** Throws `session_not_found`. */
    get(sessionId: string): Promise<Session>;
    /** Newest first, at most 100. */
    list(userId: string): Promise<Session[]>;
    timeline(sessionId: string): Promise<Timeline>;
    /** Cancelling twice returns the session; one that ended otherwise throws `session_ended`. */
    cancel(sessionId: string): Promise<Session>;
    /** Throws `session_ended`, `session_not_waiting` or, with words, `answer_refused`. Recorded before it returns; delivered to the CLI once. */
    answer(sessionId: string, body: AnswerBody): Promise<Session>;
    /** Throws `session_ended`, `mode_not_offered` or `provider_unavailable`; the present way changes nothing. */
    changeMode(sessionId: string, mode: Mode): Promise<Session>;
    /** Throws `offer_not_found`. */
    offer(sessionId: string): Promise<SessionOffer>;
  };
  outputs: {
    /** Throws `session_not_found`. */
    list(sessionId: string): Promise<OutputChunk[]>;
    /**
     * Calls `onChunk` with each chunk after `afterN`, once and in order, as they come; `onEnd` when the session has ended and all was told;
     * `onBreak` when it cannot be read on. Returns the unsubscribe. Throws `session_not_found`.
     */
    follow(
      sessionId: string,
      afterN: number,
      listener: { onChunk: (chunk: OutputChunk) => void; onEnd: () => void; onBreak: () => void },
    ): Promise<() => void>;
  };
  leftovers: {
    find(): Promise<Leftovers>;
    remove(): Promise<LeftoverRemoval>;
  };
  machineLogs: {
    /** Throws `session_not_found`, and `machine_log_not_found` with words that say where it is, if anywhere. */
    read(sessionId: string): Promise<string>;
  };
  pushes: {
    /**
     * Calls `onPush` with the present state at once, and again after every change, steps in order of `seq`, each exactly once,
     * beginning after `afterSeq`. Calls `onEnd` when nothing more can happen (session terminal and VM gone). Returns the unsubscribe.
     */
    subscribe(
      sessionId: string,
      afterSeq: number,
      listener: { onPush: (push: SessionPush) => void; onEnd: () => void },
    ): Promise<() => void>;
  };
  liveView: {
    /** A single-use ticket for one session and one connection, valid 60 s at most. Throws `session_ended`. */
    issueTicket(sessionId: string): Promise<Ticket>;
    /** Takes the ticket for good and returns the session it was for. A wrong, used or expired one throws `invalid_ticket`. */
    takeTicket(ticket: string): Promise<string>;
    /**
     * Waits until the display is ready and returns its byte stream (RFB), which is destroyed when the live view ends.
     * Rejects with `session_ended` when the session ends while waiting, and when `signal` aborts.
     */
    open(sessionId: string, signal: AbortSignal): Promise<Duplex>;
  };
  credentials: {
    list(userId: string): Promise<Credential[]>;
    /** Erases the ciphertext of all versions and sets `revoked_at`. Throws `credential_not_found`. */
    revoke(userId: string, provider: string): Promise<void>;
    /** Throws `unknown_provider`, `provider_unavailable`, and `credential_invalid` with words that hold none of the content. */
    import(userId: string, provider: string, files: CredentialFiles): Promise<Credential>;
  };
  /** Resolves when requests can be served (database reachable); rejects otherwise. */
  ready(): Promise<void>;
  /** Prometheus text. */
  metrics(): Promise<string>;
};
