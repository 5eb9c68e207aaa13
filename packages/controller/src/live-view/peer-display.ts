/**
 * The display of a VM on another host, through that host's controller: its live view as a byte stream. Knows no session; the ticket says
 * which. Unencrypted only over this machine's loopback.
 */
import { Duplex } from 'node:stream';
import { WebSocket } from 'ws';
import { ROUTES } from '@vestibule/protocol/routes';
import { isLoopbackHost } from '../loopback-host.ts';
import { CLOSE_CODES, DisplayAwayError } from './relay.ts';

const HANDSHAKE_MS = 10_000;
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

/** The stream ends when the live view has ended, and breaks with `DisplayAwayError` when nobody knows whether it has. */
class PeerDisplay extends Duplex {
  readonly #socket: WebSocket;

  constructor(socket: WebSocket) {
    super();
    this.#socket = socket;
    socket.on('message', (data: Buffer) => {
      if (!this.push(data)) socket.pause();
    });
    socket.on('error', (error) => this.destroy(new DisplayAwayError(error.message)));
    socket.on('close', (code) => {
      if (code === CLOSE_CODES.ended) this.push(null);
      else this.destroy(new DisplayAwayError(`the other controller closed it with ${code}`));
    });
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.send(chunk, { binary: true }, (error) => done(error ? new DisplayAwayError(error.message) : null));
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.terminate();
    done(error);
  }
}

/** Throws in words for the operator when what is said there could be read on the way. */
function assertPrivate(peerUrl: string): void {
  const url = URL.canParse(peerUrl) ? new URL(peerUrl) : null;
  if (url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopbackHost(url.hostname))) return;
  throw new Error(
    `it says it is at ${peerUrl}, which is neither https nor on this machine. Set VESTIBULE_PEER_URL there to an https origin.`,
  );
}

/** Resolves once the other controller has taken the ticket. Rejects in words that carry no ticket. */
export async function connectPeerDisplay(peerUrl: string, ticket: string, signal: AbortSignal): Promise<Duplex> {
  signal.throwIfAborted();
  assertPrivate(peerUrl);
  const url = new URL(ROUTES.liveView(ticket), peerUrl);
  url.protocol = url.protocol.replace('http', 'ws');
  const socket = new WebSocket(url, ['binary'], {
    origin: new URL(peerUrl).origin,
    handshakeTimeout: HANDSHAKE_MS,
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
    followRedirects: false,
  });
  const display = new PeerDisplay(socket);
  // Until the relay takes it over, nobody else listens; `close` follows.
  display.on('error', () => undefined);
  const leave = (): void => socket.terminate();
  signal.addEventListener('abort', leave, { once: true });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('unexpected-response', (_request, answer) => {
        socket.terminate();
        const why = answer.statusCode === 401 ? ': it is not the controller of that host' : '';
        reject(
          new Error(`${peerUrl} refused the ticket with ${answer.statusCode}${why}. Check VESTIBULE_PEER_URL there.`),
        );
      });
      socket.on('error', (error) => reject(new Error(`${peerUrl} cannot be reached: ${error.message}`)));
    });
  } finally {
    signal.removeEventListener('abort', leave);
  }
  return display;
}
