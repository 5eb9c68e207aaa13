/**
 * The guest's end of a VM's channels under QEMU: one virtio-serial port that speaks HTTP/2 (RFC 9113), so that many connections share it, each
 * with its own back-pressure and half-close. The host asks: `GET /agent` is answered when the agent's socket is there; `CONNECT agent`
 * becomes a connection to it; likewise `display`. Built as one file and run as `node bridge.mjs <device>`; when the link is lost it ends, and
 * is started again. SIGTERM: the VM is about to end, and what the agent said must be the host's first.
 */
import { createReadStream, createWriteStream, existsSync, openSync, writeSync } from 'node:fs';
import { performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { connect } from 'node:net';
import { Duplex, type Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { GUEST } from '../vm/guest.ts';

const SOCKETS: Readonly<Record<string, string>> = { agent: GUEST.agentSocket, display: GUEST.displaySocket };
/** How every connection of HTTP/2 begins (RFC 9113, 3.4). */
const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const LOOK_MS = 50;
const FLUSH_MS = 5000;

/** To the end of what the agent says on each connection. */
const agentWords = new Set<Promise<void>>();

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

async function tellWhenThere(stream: ServerHttp2Stream, path: string): Promise<void> {
  while (!existsSync(path) && !stream.destroyed) await delay(LOOK_MS);
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
  socket.on('error', () => {
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

function answer(stream: ServerHttp2Stream, method: string | undefined, name: string): void {
  stream.on('error', () => undefined);
  const path = SOCKETS[name];
  if (path === undefined) stream.respond({ ':status': 404 }, { endStream: true });
  else if (method === 'CONNECT') carry(stream, path);
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
    writeSync(process.stderr.fd, `bridge: ${error.stack ?? error.message}\n`);
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
  session.on('stream', (stream, headers) =>
    answer(stream, headers[':method'], headers[':authority'] ?? headers[':path']?.slice(1) ?? ''),
  );
  session.on('error', (error: Error) => writeSync(process.stderr.fd, `bridge: ${error.message}\n`));
  session.on('close', leave);
}

void main(process.argv[2] ?? '');
