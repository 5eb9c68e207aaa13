/**
 * The host's end of a VM's channels under QEMU: many connections over one wire, by HTTP/2 (`guest/bridge.ts` is the other end). Makes a
 * socket for each channel in the VM's run folder as soon as there is somebody behind it, as if agent and display had made it themselves.
 */
import { open } from 'node:fs/promises';
import { connect, type ClientHttp2Session } from 'node:http2';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';

export type ChannelMux = {
  /** Somebody listens at the other end, from now on. */
  guestOpened(): void;
  /** Nobody does: every connection ends, and no new one is made. */
  guestClosed(): void;
  /** When the wire has ended: resolves when whoever is connected has all that the VM said, or does not take it. */
  drained(): Promise<void>;
};

/** By channel, in the run folder. */
export const CHANNEL_SOCKETS = { agent: 'agent.sock', display: 'rfb.sock' } as const;
type Channel = keyof typeof CHANNEL_SOCKETS;
const CHANNELS = Object.keys(CHANNEL_SOCKETS) as Channel[];
const DRAIN_MS = 1500;
/** Ends the guest's side of a session, whatever it waits for: no frame of HTTP/2 is that long. Its bridge then begins anew. */
const NONSENSE = Buffer.alloc(32_768, 0xff);

export function createChannelMux(wire: Duplex, runDir: string): ChannelMux {
  let session: ClientHttp2Session | null = null;
  let end: Duplex | null = null;
  const sockets = new Set<Socket>();
  const servers = new Set<Server>();

  // Read at all times: without a session, what comes is nobody's.
  wire.on('data', (chunk: Buffer) => {
    if (end !== null && !end.push(chunk)) wire.pause();
  });
  wire.on('error', () => undefined);
  // Also after a reset, which is no end.
  wire.on('close', () => end?.push(null));
  wire.resume();

  /** The wire for one session, which may destroy it: the wire itself stays. */
  const lendWire = (): Duplex =>
    new Duplex({
      read: () => void wire.resume(),
      write: (chunk: Buffer, _encoding, done) => void wire.write(chunk, done),
    });

  function carry(current: ClientHttp2Session, channel: Channel, socket: Socket): void {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    if (current.destroyed) return void socket.destroy();
    const stream = current.request({ ':method': 'CONNECT', ':authority': channel });
    stream.on('error', () => undefined);
    stream.on('response', (headers) => {
      if (headers[':status'] !== 200) socket.destroy();
    });
    socket.pipe(stream);
    stream.pipe(socket);
    // What the VM said goes out before the socket closes.
    stream.on('close', () => socket.end(() => socket.destroy()));
    socket.on('close', () => stream.close());
  }

  async function listen(current: ClientHttp2Session, channel: Channel): Promise<void> {
    // Through the folder's descriptor: no path is too long for the address of a socket.
    const folder = await open(runDir, 'r');
    if (current.destroyed) return folder.close();
    const server = createServer({ allowHalfOpen: true }, (socket) => carry(current, channel, socket));
    servers.add(server);
    server.on('close', () => void folder.close());
    server.on('error', () => undefined);
    server.listen(join(`/proc/self/fd/${folder.fd}`, CHANNEL_SOCKETS[channel]));
  }

  function guestClosed(): void {
    for (const server of servers) server.close();
    servers.clear();
    const last = session;
    session = null;
    end = null;
    last?.destroy();
    // What of the last session is still under way is nobody's.
    wire.resume();
  }

  return {
    guestOpened() {
      guestClosed();
      const lent = lendWire();
      end = lent;
      const current = connect('http://vm', { createConnection: () => lent });
      session = current;
      current.on('error', () => undefined);
      current.on('close', () => {
        if (session === current) wire.write(NONSENSE);
      });
      for (const channel of CHANNELS) {
        const look = current.request({ ':method': 'GET', ':path': `/${channel}` });
        look.on('error', () => undefined);
        look.on('response', (headers) => {
          if (headers[':status'] === 204) void listen(current, channel);
        });
        look.resume();
      }
    },
    guestClosed,
    async drained() {
      const gone = [...sockets].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
      await Promise.race([Promise.all(gone), delay(DRAIN_MS, undefined, { ref: false })]);
    },
  };
}
