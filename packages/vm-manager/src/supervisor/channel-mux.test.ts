import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer as createGuest } from 'node:http2';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createChannelMux } from './channel-mux.ts';

let dir: string;
const closers: (() => void)[] = [];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'vestibule-mux-'));
});
afterEach(() => {
  for (const close of closers.splice(0).toReversed()) close();
  rmSync(dir, { recursive: true });
});

/** Both ends of a wire as QEMU and its supervisor share it. */
async function openWire(): Promise<[Socket, Socket]> {
  const path = join(dir, 'wire');
  const server = createServer().listen(path);
  const near = connect(path);
  const [far] = (await once(server, 'connection')) as [Socket];
  closers.push(
    () => server.close(),
    () => near.destroy(),
    () => far.destroy(),
  );
  return [near, far];
}

it.each([
  ['ends', (_near: Socket, far: Socket) => far.destroy()],
  // What QEMU had not read yet when it was killed makes its end of the wire a reset.
  ['is reset', (near: Socket) => near.destroy(new Error('read ECONNRESET'))],
])('ends each connection with what the guest said when the machine is killed and the wire %s', async (_how, kill) => {
  const [near, far] = await openWire();
  const guest = createGuest();
  guest.on('sessionError', () => undefined);
  guest.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    if (headers[':method'] !== 'CONNECT') return stream.respond({ ':status': 204 }, { endStream: true });
    stream.respond({ ':status': 200 });
    stream.write('what it had to say');
  });
  far.on('error', () => undefined);
  guest.emit('connection', far);
  const mux = createChannelMux(near, dir);
  mux.guestOpened();
  const client = await vi.waitFor(async () => {
    const socket = connect(join(dir, 'agent.sock'));
    await once(socket, 'connect');
    return socket;
  });
  closers.push(() => client.destroy());
  const said = text(client);
  await once(client, 'readable');
  kill(near, far);
  expect(await said).toBe('what it had to say');
  await mux.drained();
});
