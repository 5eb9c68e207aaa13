/**
 * A typed client of the HTTP API, for pages and programs alike. Every answer is checked against its schema; every problem is an `AppError`
 * with a code of the closed list. A server that cannot be reached is `not_ready`. Keeps no state but what the caller passes in.
 */
import type { z } from 'zod';
import { AppError, ERRORS, problemSchema } from './errors.ts';
import {
  credentialListSchema,
  credentialSchema,
  leftoverRemovalSchema,
  leftoversSchema,
  outputChunkSchema,
  outputSchema,
  providerFilesSchema,
  providersAnswerSchema,
  sessionListSchema,
  sessionOfferSchema,
  sessionPushSchema,
  sessionSchema,
  ticketSchema,
  timelineSchema,
} from './api.ts';
import type {
  AnswerBody,
  CreateSessionBody,
  Credential,
  ImportBody,
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
} from './api.ts';
import type { Mode } from './session.ts';
import { ROUTES } from './routes.ts';

/** The part of the browser's `EventSource` that is used. It resumes by itself (`Last-Event-ID`) unless `readyState` is `CLOSED`. */
export type EventStream = {
  readonly readyState: number;
  addEventListener(type: string, listener: (event: { data?: unknown }) => void): void;
  close(): void;
};
const CLOSED = 2;

export type PushListener = {
  onOpen(): void;
  onPush(push: SessionPush): void;
  /** Nothing more can happen; the stream is closed. */
  onEnd(): void;
  /** The connection dropped. `resumes` is false when the stream gave up: subscribe again, after asking `getSession` why. */
  onDrop(resumes: boolean): void;
};

export type ClientOptions = {
  /** Scheme, host and port; empty for the page's own server. */
  baseUrl?: string;
  /** Sent with every request but event streams. */
  headers?: Record<string, string>;
  fetch?: typeof fetch;
  openEvents?: (url: string) => EventStream;
};

export type Client = {
  /** With `userId`, each provider has the way suggested for that person. */
  listProviders(userId?: string): Promise<ProvidersAnswer>;
  acceptNotice(provider: string, hash: string): Promise<void>;
  getProviderFiles(provider: string): Promise<ProviderFiles>;
  createSession(body: CreateSessionBody): Promise<Session>;
  getSession(sessionId: string): Promise<Session>;
  /** Newest first. */
  listSessions(userId: string): Promise<Session[]>;
  getTimeline(sessionId: string): Promise<Timeline>;
  cancelSession(sessionId: string): Promise<Session>;
  answer(sessionId: string, answer: AnswerBody): Promise<Session>;
  changeMode(sessionId: string, mode: Mode): Promise<Session>;
  /** Null while there is nothing to sign in with. */
  findOffer(sessionId: string): Promise<SessionOffer | null>;
  /** All that the CLI wrote so far. */
  readOutput(sessionId: string): Promise<OutputChunk[]>;
  /** Follows what the CLI writes, from the first chunk on. Returns the unsubscribe; `onEnd` when nothing more can come. */
  followOutput(sessionId: string, listener: { onChunk(chunk: OutputChunk): void; onEnd(): void }): () => void;
  /** What the machine of the sign-in printed. */
  readMachineLog(sessionId: string): Promise<string>;
  issueTicket(sessionId: string): Promise<Ticket>;
  listCredentials(userId: string): Promise<Credential[]>;
  importCredential(userId: string, provider: string, body: ImportBody): Promise<Credential>;
  revokeCredential(userId: string, provider: string): Promise<void>;
  findLeftovers(): Promise<Leftovers>;
  removeLeftovers(): Promise<LeftoverRemoval>;
  /** Exchanges the operator's token for a cookie. */
  signIn(token: string): Promise<void>;
  signOut(): Promise<void>;
  isSignedIn(): Promise<boolean>;
  /** Returns the unsubscribe. A push that does not fit its schema counts as a drop that does not resume. */
  subscribe(sessionId: string, listener: PushListener): () => void;
};

async function toProblem(response: Response): Promise<AppError> {
  const problem = problemSchema.safeParse(await response.json().catch(() => null));
  if (problem.success) return new AppError(problem.data.code, problem.data.detail);
  const known = (Object.keys(ERRORS) as (keyof typeof ERRORS)[]).find(
    (code) => ERRORS[code].status === response.status,
  );
  return new AppError(known ?? (response.status >= 502 ? 'not_ready' : 'internal'));
}

export function createClient(options: ClientOptions = {}): Client {
  const { baseUrl = '', headers = {}, fetch: send = fetch } = options;
  const openEvents = options.openEvents ?? ((url: string): EventStream => new (toEventSource())(url));

  async function request(method: string, path: string, body?: unknown): Promise<Response> {
    const init: RequestInit = { method, headers: { ...headers, accept: 'application/json' } };
    if (body !== undefined) {
      init.body = JSON.stringify(body);
      init.headers = { ...headers, accept: 'application/json', 'content-type': 'application/json' };
    }
    const response = await send(baseUrl + path, init).catch((cause: unknown) => {
      throw new AppError(
        'not_ready',
        'The server does not answer. Check that Vestibule is running, then try again.',
        cause,
      );
    });
    if (!response.ok) throw await toProblem(response);
    return response;
  }

  async function ask<T>(schema: z.ZodType<T>, method: string, path: string, body?: unknown): Promise<T> {
    const response = await request(method, path, body);
    const answer = schema.safeParse(await response.json().catch(() => null));
    if (answer.success) return answer.data;
    const detail = `The answer to ${method} ${path} has an unknown form. Reload the page: the server may have been updated.`;
    throw new AppError('internal', detail, answer.error);
  }

  return {
    listProviders: (userId) => {
      const query = userId === undefined ? '' : `?userId=${encodeURIComponent(userId)}`;
      return ask(providersAnswerSchema, 'GET', ROUTES.providers + query);
    },
    acceptNotice: async (provider, hash) => {
      await request('POST', ROUTES.acceptance(provider), { hash });
    },
    getProviderFiles: (provider) => ask(providerFilesSchema, 'GET', ROUTES.providerFiles(provider)),
    createSession: (body) => ask(sessionSchema, 'POST', ROUTES.authSessions, body),
    getSession: (sessionId) => ask(sessionSchema, 'GET', ROUTES.session(sessionId)),
    listSessions: async (userId) => {
      const path = `${ROUTES.authSessions}?userId=${encodeURIComponent(userId)}`;
      return (await ask(sessionListSchema, 'GET', path)).sessions;
    },
    getTimeline: (sessionId) => ask(timelineSchema, 'GET', ROUTES.timeline(sessionId)),
    cancelSession: (sessionId) => ask(sessionSchema, 'POST', ROUTES.cancel(sessionId), {}),
    answer: (sessionId, answer) => ask(sessionSchema, 'POST', ROUTES.answer(sessionId), answer),
    changeMode: (sessionId, mode) => ask(sessionSchema, 'POST', ROUTES.mode(sessionId), { mode }),
    findOffer: async (sessionId) => {
      try {
        return await ask(sessionOfferSchema, 'GET', ROUTES.offer(sessionId));
      } catch (error) {
        if (error instanceof AppError && error.code === 'offer_not_found') return null;
        throw error;
      }
    },
    readOutput: async (sessionId) => (await ask(outputSchema, 'GET', ROUTES.output(sessionId))).chunks,
    followOutput: (sessionId, listener) => follow(openEvents(baseUrl + ROUTES.output(sessionId)), listener),
    readMachineLog: async (sessionId) => (await request('GET', ROUTES.machineLog(sessionId))).text(),
    findLeftovers: () => ask(leftoversSchema, 'GET', ROUTES.leftovers),
    removeLeftovers: () => ask(leftoverRemovalSchema, 'DELETE', ROUTES.leftovers),
    issueTicket: (sessionId) => ask(ticketSchema, 'POST', ROUTES.liveViewTickets(sessionId), {}),
    listCredentials: async (userId) => (await ask(credentialListSchema, 'GET', ROUTES.credentials(userId))).credentials,
    importCredential: (userId, provider, body) =>
      ask(credentialSchema, 'POST', ROUTES.importCredential(userId, provider), body),
    revokeCredential: async (userId, provider) => {
      await request('DELETE', ROUTES.credential(userId, provider));
    },
    signIn: async (token) => {
      await request('POST', ROUTES.operatorSession, { token });
    },
    signOut: async () => {
      await request('DELETE', ROUTES.operatorSession);
    },
    isSignedIn: async () => {
      try {
        await request('GET', ROUTES.operatorSession);
        return true;
      } catch (error) {
        if (error instanceof AppError && error.code === 'unauthenticated') return false;
        throw error;
      }
    },
    subscribe: (sessionId, listener) => listen(openEvents(baseUrl + ROUTES.events(sessionId)), listener),
  };
}

function listen(stream: EventStream, listener: PushListener): () => void {
  stream.addEventListener('open', () => listener.onOpen());
  stream.addEventListener('session', ({ data }) => {
    const push = toPush(data);
    if (push !== null) return listener.onPush(push);
    stream.close();
    listener.onDrop(false);
  });
  stream.addEventListener('end', () => {
    stream.close();
    listener.onEnd();
  });
  stream.addEventListener('error', () => listener.onDrop(stream.readyState !== CLOSED));
  return () => stream.close();
}

function follow(stream: EventStream, listener: { onChunk(chunk: OutputChunk): void; onEnd(): void }): () => void {
  stream.addEventListener('output', ({ data }) => {
    const chunk = outputChunkSchema.safeParse(JSON.parse(String(data)));
    if (chunk.success) listener.onChunk(chunk.data);
  });
  stream.addEventListener('end', () => {
    stream.close();
    listener.onEnd();
  });
  return () => stream.close();
}

function toPush(data: unknown): SessionPush | null {
  try {
    return sessionPushSchema.parse(JSON.parse(String(data)));
  } catch {
    return null;
  }
}

/** Looked up late: Node has no `EventSource`, and programs there pass `openEvents`. */
function toEventSource(): new (url: string) => EventStream {
  const found: unknown = Reflect.get(globalThis, 'EventSource');
  if (typeof found !== 'function') throw new TypeError('this program has no EventSource: pass `openEvents`');
  return found as new (url: string) => EventStream;
}
