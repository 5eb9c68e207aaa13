/**
 * Test support: a server that answers as Vestibule does for one sign-in, driven by a test: what it offers, what it pushes, what it makes of
 * an answer. A real HTTP server, so that client, events and callback are the real ones.
 */
import type { ServerResponse } from 'node:http';
import type { AnswerBody, Provider, Session } from '@vestibule/protocol/api';
import type { Offer } from '@vestibule/protocol/offer';
import type { SessionStep } from '@vestibule/protocol/session';
import { close, serve } from './testing-server.ts';

const SESSION_ID = '0198c1f0-0000-7000-8000-000000000001';
const AT = '2026-11-26T12:00:00.000Z';

export const TEST_SESSION: Session = {
  sessionId: SESSION_ID,
  userId: 'me',
  provider: 'tool',
  status: 'started',
  mode: 'own_browser',
  stage: 'starting_vm',
  createdAt: AT,
  updatedAt: AT,
  expiresAt: AT,
  remainingMs: 600_000,
  completedAt: null,
  endedAt: null,
  errorCode: null,
  errorMessage: null,
  errorStage: null,
  account: null,
  accountPlan: null,
  grade: null,
  restriction: {},
  mayUse: false,
  way: 1,
  offered: false,
  prompt: null,
  credentialVersion: null,
  capabilities: [],
  liveView: 'preparing',
  waitingFor: null,
  vm: null,
  lateRefused: false,
  seq: 0,
};

export const TEST_PROVIDER: Provider = {
  id: 'tool',
  name: 'Tool',
  description: 'A tool.',
  homepage: null,
  version: '1.0.0',
  modes: [
    { mode: 'vm_browser', available: true, reason: null, hint: null },
    { mode: 'own_browser', available: true, reason: null, hint: null },
    { mode: 'device_code', available: false, reason: 'its maker turned them off', hint: null },
    { mode: 'token', available: true, reason: null, hint: null },
  ],
  suggestedMode: null,
  tokenKinds: [{ id: 'key', name: 'API key', hint: 'From the settings page.', pattern: '^key-' }],
  vendor: 'Makers',
  audience: null,
  untested: false,
  notice: null,
  useDescription: null,
  available: true,
  reason: null,
  installed: true,
};

export function toTestOffer(differences: Partial<Offer>): Offer {
  return {
    mode: 'own_browser',
    url: null,
    codeUrl: null,
    callback: null,
    accepts: [],
    deviceCode: null,
    validForMs: null,
    ...differences,
  };
}

export type TestVestibule = {
  origin: string;
  /** Every answer that was given. */
  answers: AnswerBody[];
  /** `METHOD path` of every request. */
  requests: string[];
  /** Changes the session and tells of it, with these steps. */
  push(change: Partial<Session>, ...steps: SessionStep['type'][]): void;
  offer(offer: Offer, way?: number): void;
  /** Cuts every event stream. */
  drop(): void;
  close(): Promise<void>;
};

export type Verdict = { status: number; code: string; detail: string };
export type TestVestibuleOptions = {
  provider?: Provider;
  /** Null takes the answer. */
  judge?: (answer: AnswerBody) => Verdict | null;
  onAnswer?: (answer: AnswerBody) => void;
  onCancel?: () => void;
  /** What the program wrote. */
  output?: string;
};

export async function startTestVestibule(options: TestVestibuleOptions = {}): Promise<TestVestibule> {
  const answers: AnswerBody[] = [];
  const requests: string[] = [];
  const streams = new Set<ServerResponse>();
  const steps: SessionStep[] = [];
  let session = TEST_SESSION;
  let offered: { way: number; offer: Offer } | null = null;

  function tell(stream: ServerResponse, after: number): void {
    const push = { session, steps: steps.filter(({ seq }) => seq > after) };
    stream.write(`id: ${session.seq}\nevent: session\ndata: ${JSON.stringify(push)}\n\n`);
  }
  function json(response: ServerResponse, status: number, body: unknown): void {
    const kind = status < 400 ? 'application/json' : 'application/problem+json';
    response.writeHead(status, { 'content-type': kind, connection: 'close' }).end(JSON.stringify(body));
  }
  function refuse(response: ServerResponse, { status, code, detail }: Verdict): void {
    json(response, status, { type: 'about:blank', title: code, status, code, detail });
  }

  const server = await serve((request, response) => {
    const path = (request.url ?? '').split('?')[0] ?? '';
    requests.push(`${request.method} ${path}`);
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    request.once('end', () => {
      if (path === '/v1/providers')
        return json(response, 200, {
          runtime: 'fake',
          sharedKernel: false,
          requirements: [],
          fileProblems: [],
          providers: [options.provider ?? TEST_PROVIDER],
        });
      if (path.endsWith('/credentials')) return json(response, 200, { credentials: [] });
      if (path.endsWith('/output')) return json(response, 200, { chunks: [{ n: 1, text: options.output ?? '' }] });
      if (path === '/v1/auth-sessions') {
        const { mode, provider } = JSON.parse(body) as Session;
        if (provider !== 'tool') return refuse(response, { status: 404, code: 'unknown_provider', detail: 'None.' });
        session = { ...session, mode };
        return json(response, 201, session);
      }
      if (path.endsWith('/events')) {
        response.writeHead(200, { 'content-type': 'text/event-stream' }).write('retry: 1\n\n');
        streams.add(response);
        response.once('close', () => streams.delete(response));
        return tell(response, Number(request.headers['last-event-id'] ?? 0));
      }
      if (path.endsWith('/offer'))
        return offered === null
          ? refuse(response, { status: 404, code: 'offer_not_found', detail: 'Not yet.' })
          : json(response, 200, offered);
      if (path.endsWith('/cancel')) {
        options.onCancel?.();
        return json(response, 200, session);
      }
      if (path.endsWith('/answer')) {
        const answer = JSON.parse(body) as AnswerBody;
        const verdict = options.judge?.(answer) ?? null;
        if (verdict !== null) return refuse(response, verdict);
        answers.push(answer);
        json(response, 200, session);
        return options.onAnswer?.(answer);
      }
      return json(response, 200, session);
    });
  });

  function push(change: Partial<Session>, ...types: SessionStep['type'][]): void {
    const before = session.seq;
    const data = { from: 'output', origin: 'https://x' };
    for (const type of types) steps.push({ seq: steps.length + 1, at: AT, type, actor: 'agent', data });
    session = { ...session, ...change, seq: steps.length };
    for (const stream of streams) tell(stream, before);
  }

  return {
    origin: server.origin,
    answers,
    requests,
    push,
    offer(offer, way = 1) {
      offered = { way, offer };
      push({ way, mode: offer.mode, offered: true, status: 'awaiting_user_auth' }, 'offer_ready');
    },
    drop() {
      for (const stream of streams) stream.destroy();
    },
    close: () => close(server),
  };
}
