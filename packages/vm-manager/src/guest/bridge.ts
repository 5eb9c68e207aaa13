/**
 * The guest's end of a VM's channels under QEMU: one virtio-serial port that speaks HTTP/2 (RFC 9113), so that many connections share it, each
 * with its own back-pressure and half-close. The host asks: `GET /agent` is answered when the agent listens; `CONNECT agent`
 * becomes a connection to it; likewise `display`. Built as one file and run as `node bridge.mjs <device>`; when the link is lost it ends, and
 * is started again. SIGTERM: the VM is about to end, and what the agent said must be the host's first.
 */
import { createReadStream, createWriteStream, openSync, readFileSync, writeSync } from 'node:fs';
import {
  performServerHandshake,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import { connect } from 'node:net';
import { Duplex, type Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { GUEST } from '../vm/guest.ts';

const SOCKETS: Readonly<Record<string, string>> = { agent: GUEST.agentSocket, display: GUEST.displaySocket };
/** How every connection of HTTP/2 begins (RFC 9113, 3.4). */
const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
/** The flags of a socket that listens (`__SO_ACCEPTCON`), the fourth field of its line in /proc/net/unix. */
const ACCEPTS = '00010000';
const LOOK_MS = 50;
const FLUSH_MS = 5000;

/** To the end of what the agent says on each connection. */
const agentWords = new Set<Promise<void>>();

const say = (words: string): void => void writeSync(process.stderr.fd, `bridge: ${words}\n`);

/** The host may have begun to speak to an earlier bridge: what comes before a beginning is dropped. */
async function untilPreface(input: Readable): Promise<void> {
  let seen = '';
  for await (const chunk of input.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    seen += chunk.toString('latin1');
    const at = seen.indexOf(PREFACE);
    if (at >= 0) {
      input.unshift(Buffer.from(seen.slice(at), 'latin1'));
      return;
    }
    seen = seen.slice(-PREFACE.length);
  }
  throw new Error('the host hung up');
}

/** As the kernel tells of its sockets, without knocking: whoever listens takes each connection for one of the host's. */
function isListening(path: string): boolean {
  const sockets = readFileSync('/proc/net/unix', 'utf8').split('\n');
  return sockets.some((line) => line.endsWith(` ${path}`) && line.split(' ')[3] === ACCEPTS);
}

async function tellWhenThere(stream: ServerHttp2Stream, path: string): Promise<void> {
  while (!isListening(path) && !stream.destroyed) await delay(LOOK_MS);
  if (!stream.destroyed) stream.respond({ ':status': 204 }, { endStream: true });
}

function carry(stream: ServerHttp2Stream, path: string): void {
  const socket = connect({ path, allowHalfOpen: true });
  socket.once('connect', () => {
    // The host may have thought better of it.
    if (stream.destroyed) return;
    stream.respond({ ':status': 200 });
    stream.pipe(socket);
    socket.pipe(stream);
  });
  // What came before an error was read, and is to be said.
  socket.on('error', (error) => {
    if (!stream.headersSent) say(`${path}: ${error.message}`);
    if (stream.destroyed) return;
    if (!stream.headersSent) stream.respond({ ':status': 502 }, { endStream: true });
    else stream.end();
  });
  stream.on('close', () => socket.destroy());
  if (path !== GUEST.agentSocket) return;
  const said = finished(stream, { readable: false }).catch(() => undefined);
  agentWords.add(said);
  void said.then(() => agentWords.delete(said));
}

function answer(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
  stream.on('error', () => undefined);
  const isConnect = headers[':method'] === 'CONNECT';
  const path = SOCKETS[(isConnect ? headers[':authority'] : headers[':path']?.slice(1)) ?? ''];
  if (path === undefined) stream.respond({ ':status': 404 }, { endStream: true });
  else if (isConnect) carry(stream, path);
  else void tellWhenThere(stream, path);
}

/** The host answers a ping after all that was said before it. */
async function flush(session: ServerHttp2Session): Promise<void> {
  await Promise.race([Promise.all(agentWords), delay(FLUSH_MS)]);
  await Promise.race([new Promise((resolve) => session.ping(resolve)), delay(FLUSH_MS)]);
}

/** Also with a read of the device under way, which nothing can call off: an orderly end would wait for it. */
function leave(): void {
  process.kill(process.pid, 'SIGKILL');
}

async function main(device: string): Promise<void> {
  process.on('uncaughtException', (error) => {
    say(error.stack ?? error.message);
    leave();
  });
  // One descriptor: a port that is opened twice loses data.
  const fd = openSync(device, 'r+');
  const input = createReadStream('', { fd, autoClose: false });
  const output = createWriteStream('', { fd, autoClose: false });
  let session: ServerHttp2Session | null = null;
  // While nobody spoke to us, nobody misses anything.
  process.on('SIGTERM', () => void (session === null ? leave() : flush(session).then(leave)));
  await untilPreface(input);
  session = performServerHandshake(Duplex.from({ readable: input, writable: output }));
  session.on('stream', answer);
  session.on('error', (error: Error) => say(error.message));
  session.on('close', leave);
}

void main(process.argv[2] ?? '');
