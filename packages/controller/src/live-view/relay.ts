/** Carries bytes between a live view's WebSocket and the VM's display, each way only as fast as the other side takes them. */
import type { Duplex } from 'node:stream';
import type { WebSocket } from '@fastify/websocket';

/** Close codes a page can act on (see `ROUTES.liveView`), and the standard ones used here. */
export const CLOSE_CODES = {
  goingAway: 1001,
  protocolError: 1002,
  notBinary: 1003,
  ended: 4410,
  displayNeverCame: 4503,
} as const;
export type CloseCode = (typeof CLOSE_CODES)[keyof typeof CLOSE_CODES];

/** The way to the display broke, which says nothing of the session: the page comes again. */
export class DisplayAwayError extends Error {
  constructor(why: string) {
    super(`the display of another host is away: ${why}`);
    this.name = 'DisplayAwayError';
  }
}

/** More unsent bytes than this pause the display, fewer than the lower mark let it go on. */
const HIGH_BYTES = 1024 * 1024;
const LOW_BYTES = 256 * 1024;
const PING_MS = 25_000;
const CLOSE_ANSWER_MS = 1000;

/** Ends when either side ends, and ends the other with it. Takes over both. */
export function relay(socket: WebSocket, display: Duplex): void {
  socket.on('message', (data: Buffer, isBinary: boolean) => {
    if (!isBinary) return closeSocket(socket, CLOSE_CODES.notBinary);
    if (display.destroyed || display.write(data)) return;
    socket.pause();
    display.once('drain', () => socket.resume());
  });
  socket.once('close', () => display.destroy());

  display.on('data', (chunk: Buffer) => {
    socket.send(chunk, { binary: true }, () => {
      if (display.isPaused() && socket.bufferedAmount < LOW_BYTES) display.resume();
    });
    if (socket.bufferedAmount > HIGH_BYTES) display.pause();
  });
  const end = (error?: unknown): void =>
    closeSocket(socket, error instanceof DisplayAwayError ? CLOSE_CODES.goingAway : CLOSE_CODES.ended);
  display.once('end', () => display.destroy());
  display.on('error', end);
  display.once('close', () => end(display.errored));
  if (display.destroyed) end(display.errored);
}

/** Says why, and does not wait long for the other side's answer. */
export function closeSocket(socket: WebSocket, code: CloseCode): void {
  socket.resume();
  socket.close(code);
  const timer = setTimeout(() => socket.terminate(), CLOSE_ANSWER_MS);
  socket.once('close', () => clearTimeout(timer));
}

/** Pings, so that proxies keep the connection and a vanished page is noticed. Ends with the socket. */
export function keepAlive(socket: WebSocket, everyMs: number = PING_MS): void {
  let answered = true;
  const timer = setInterval(() => {
    if (!answered) return socket.terminate();
    answered = false;
    socket.ping();
  }, everyMs);
  socket.on('pong', () => {
    answered = true;
  });
  socket.once('close', () => clearInterval(timer));
}
