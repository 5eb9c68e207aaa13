/** A test fixture: the real HTTP server on a free port over `TestingPorts`, and a client that can send what browsers would not. */
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import { problemSchema } from '@vestibule/protocol/errors';
import type { ErrorCode, Problem } from '@vestibule/protocol/errors';
import { Secret } from '@vestibule/protocol/secret';
import { createLogger } from '../telemetry/logger.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Api } from './api.ts';
import { listen } from './listen.ts';
import { createHttpServer } from './server.ts';
import { TestingPorts } from './testing-ports.ts';

export const TOKEN = 'canary-operator-token-4f1d0a7c9be2';

export type Answer = { status: number; headers: IncomingHttpHeaders; text: string };

export class TestingServer {
  readonly api: Api;
  readonly ports: TestingPorts;
  readonly metrics: Metrics;
  readonly port: number;
  readonly token = new Secret(TOKEN);
  /** Every log line so far. */
  readonly logLines: string[];

  /** Keeps connections, as browsers do. */
  readonly #agent = new Agent({ keepAlive: true });

  private constructor(parts: Pick<TestingServer, 'api' | 'ports' | 'metrics' | 'port' | 'logLines'>) {
    this.api = parts.api;
    this.ports = parts.ports;
    this.metrics = parts.metrics;
    this.port = parts.port;
    this.logLines = parts.logLines;
  }

  static async start(
    options: { publicUrl?: string; peerUrl?: string; pageDir?: string; host?: string } = {},
  ): Promise<TestingServer> {
    const { publicUrl = null, peerUrl = null, pageDir = null, host = '127.0.0.1' } = options;
    const ports = new TestingPorts();
    const logLines: string[] = [];
    const destination = { write: (line: string) => void logLines.push(line) };
    const { logger } = createLogger({ level: 'trace', readable: false, destination });
    const metrics = createMetrics(() => Promise.resolve(0));
    const operatorToken = new Secret(TOKEN);
    const api = await createHttpServer({
      config: { host, publicUrl, peerUrl },
      operatorToken,
      ports,
      logger,
      metrics,
      pageDir,
      version: '1',
    });
    const port = await listen(api, { host, port: 0 });
    return new TestingServer({ api, ports, metrics, port, logLines });
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async close(): Promise<void> {
    await this.api.close();
    this.#agent.destroy();
  }

  /** As the operator, unless the headers say otherwise: an `authorization` of '' sends none. */
  async send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const answer = await this.open(method, path, body, headers);
    let text = '';
    for await (const chunk of answer) text += String(chunk);
    return { status: answer.statusCode ?? 0, headers: answer.headers, text };
  }

  /** Like `send`, returning as soon as the head is there. A string is sent as it is. */
  async open(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<IncomingMessage> {
    const all: Record<string, string> = { authorization: `Bearer ${TOKEN}`, ...headers };
    if (all['authorization'] === '') delete all['authorization'];
    if (body !== undefined) all['content-type'] ??= 'application/json';
    const sent = request({ host: '127.0.0.1', port: this.port, method, path, headers: all, agent: this.#agent });
    sent.end(body === undefined || typeof body === 'string' ? body : JSON.stringify(body));
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    return answer;
  }

  /** A new session's id. */
  async connect(userId = 'ada'): Promise<string> {
    const { session } = await this.ports.sessions.create({ userId, provider: 'demo' });
    return session.sessionId;
  }

  async ticket(sessionId: string): Promise<string> {
    return (await this.ports.liveView.issueTicket(sessionId)).ticket;
  }

  /** Opens the live view as a page of this server would, unless told of another origin; resolves once connected. */
  async view(ticket: string, origin: string = this.origin): Promise<WebSocket> {
    const socket = new WebSocket(`${this.origin.replace('http', 'ws')}/v1/live-view?ticket=${ticket}`, ['binary'], {
      origin,
    });
    await once(socket, 'open');
    return socket;
  }
}

/** The problem of an answer; fails when it is none, or has another status than its head. */
export function toProblem(answer: Answer): Problem {
  const problem = problemSchema.parse(JSON.parse(answer.text));
  if (answer.headers['content-type'] !== 'application/problem+json' || problem.status !== answer.status)
    throw new Error(`not a problem of its own status: ${answer.status} ${answer.text}`);
  return problem;
}

/** The status and code with which the server refuses a WebSocket before the upgrade. */
export async function findUpgradeRefusal(url: string, origin?: string): Promise<{ status: number; code: ErrorCode }> {
  const socket = new WebSocket(url, origin === undefined ? {} : { origin });
  socket.on('error', () => undefined);
  const [, answer] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
  let text = '';
  for await (const chunk of answer) text += String(chunk);
  socket.terminate();
  return { status: answer.statusCode ?? 0, code: problemSchema.parse(JSON.parse(text)).code };
}
