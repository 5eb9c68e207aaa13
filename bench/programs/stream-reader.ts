/**
 * Many pages in one process: one connection each, listening to the events of its own session. Reads bytes itself, as thousands of HTTP
 * clients would take more of the machine than the server that is measured. Notes when each event came, and whether one was missed or
 * repeated.
 */
import { connect, type Socket } from 'node:net';
import { answerRequests, type ChildProgram } from '../support/child-program.ts';
import { nowMs } from '../support/measures.ts';
import { toSessionId } from '../support/waiting-sessions.ts';

export type ReaderRequest =
  | { kind: 'open'; port: number; token: string; first: number; count: number; localAddress: string; atOnce: number }
  /** Waits until the pages of these sessions were told of `seq`, then says when each was. */
  | { kind: 'await'; seq: number; sessions: number[]; withinMs: number };
/** By the number of the session; wall-clock milliseconds. */
export type ReaderAnswer = { receivedAt: [n: number, atMs: number][]; outOfOrder: number };

export type StreamReader = ChildProgram<ReaderRequest, ReaderAnswer>;

type Page = { n: number; seq: number; receivedAt: Map<number, number>; outOfOrder: number };

const pages = new Map<number, Page>();
let onPush = (): void => undefined;

/** Calls `onOpen` at the first event, which tells the present state. */
function listen(page: Page, socket: Socket, onOpen: () => void): void {
  let rest = '';
  socket.setEncoding('latin1').once('data', (head: string) => {
    if (!head.startsWith('HTTP/1.1 200 ')) socket.destroy(new Error(`a stream was answered: ${head}`));
  });
  socket.on('data', (chunk: string) => {
    const atMs = nowMs();
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (!line.startsWith('id: ')) continue;
      const seq = Number(line.slice('id: '.length));
      if (page.seq !== 0 && seq !== page.seq + 1) page.outOfOrder += 1;
      if (page.seq === 0) onOpen();
      page.seq = seq;
      page.receivedAt.set(seq, atMs);
      onPush();
    }
  });
}

function openPage(n: number, request: Extract<ReaderRequest, { kind: 'open' }>): Promise<void> {
  const { port, token, localAddress } = request;
  return new Promise((resolve, reject) => {
    const page: Page = { n, seq: 0, receivedAt: new Map(), outOfOrder: 0 };
    const socket = connect({ host: '127.0.0.1', port, localAddress });
    socket.once('error', reject);
    socket.once('close', () => reject(new Error(`the stream of session ${n} was closed`)));
    listen(page, socket, resolve);
    const head = [
      `GET /v1/auth-sessions/${toSessionId(n)}/events HTTP/1.1`,
      `Host: 127.0.0.1:${port}`,
      `Authorization: Bearer ${token}`,
      'Accept: text/event-stream',
    ];
    socket.write(`${head.join('\r\n')}\r\n\r\n`);
    pages.set(n, page);
  });
}

async function open(request: Extract<ReaderRequest, { kind: 'open' }>): Promise<void> {
  let next = request.first;
  const openSome = async (): Promise<void> => {
    while (next < request.first + request.count) await openPage(next++, request);
  };
  await Promise.all(Array.from({ length: request.atOnce }, openSome));
}

async function awaitTold({
  seq,
  sessions,
  withinMs,
}: Extract<ReaderRequest, { kind: 'await' }>): Promise<ReaderAnswer> {
  const asked = sessions.map((n) => pages.get(n)!);
  const countLate = (): number => asked.filter((page) => page.seq < seq).length;
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${countLate()} pages were not told of event ${seq}`)), withinMs);
    onPush = () => {
      if (countLate() > 0) return;
      clearTimeout(timer);
      onPush = () => undefined;
      resolve();
    };
    onPush();
  });
  return {
    receivedAt: asked.map(({ n, receivedAt }) => [n, receivedAt.get(seq)!]),
    outOfOrder: [...pages.values()].reduce((sum, page) => sum + page.outOfOrder, 0),
  };
}

answerRequests(async (request: ReaderRequest): Promise<ReaderAnswer> => {
  if (request.kind === 'await') return awaitTold(request);
  await open(request);
  return { receivedAt: [], outOfOrder: 0 };
});
