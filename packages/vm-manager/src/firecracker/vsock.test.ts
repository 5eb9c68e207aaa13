/** The handshake on Firecracker's vsock socket: no byte is lost, whatever pieces it comes in, and what is no answer is an error in words. */
import { mkdtempSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, expect, it } from 'vitest';
import { openVsockPort, waitForFirstBytes } from './vsock.ts';

const dir = mkdtempSync(join(tmpdir(), 'vestibule-vsock-'));
const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Connects to a server that reads one line and then does what the test says. */
async function dial(onRequest: (socket: Socket, line: string) => void | Promise<void>): Promise<Socket> {
  const path = join(dir, `${servers.length}-${process.hrtime.bigint()}`);
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (bytes: Buffer) => void onRequest(socket, bytes.toString()));
  });
  servers.push(server);
  await once(server.listen(path), 'listening');
  const socket = connect(path);
  await once(socket, 'connect');
  return socket;
}

async function readAll(socket: Socket): Promise<string> {
  let text = '';
  for await (const chunk of socket as AsyncIterable<Buffer>) text += chunk.toString('latin1');
  return text;
}

it('asks for the port in one line, and hands out what follows the answer in the same piece', async () => {
  const socket = await dial(
    (peer, line) => void peer.end(line === 'CONNECT 7001\n' ? 'OK 1073741825\n{"type":"hello"}\n\0\xff' : ''),
  );
  expect(await readAll(await openVsockPort(socket, 7001))).toBe('{"type":"hello"}\n\0\xc3\xbf');
});

it('takes an answer in single bytes, slowly, and loses nothing of what follows', async () => {
  const socket = await dial(async (peer) => {
    for (const letter of 'OK 5\nRFB 003.008\n') {
      peer.write(letter);
      await delay(2);
    }
    peer.end();
  });
  expect(await readAll(await openVsockPort(socket, 7002))).toBe('RFB 003.008\n');
});

it('carries bytes both ways after that', async () => {
  const socket = await dial((peer) => {
    peer.write('OK 5\n');
    peer.pipe(peer);
  });
  const open = await openVsockPort(socket, 7001);
  open.end('x'.repeat(300_000));
  expect((await readAll(open)).length).toBe(300_000);
});

it.each([
  { what: 'nobody listens', answer: '', words: /vsock port 7001: nobody listens in the guest/ },
  { what: 'the answer breaks off', answer: 'OK 10', words: /the answer broke off: "OK 10"/ },
  { what: 'it is no answer', answer: 'HTTP/1.1 400 Bad Request\r\n', words: /not an answer of Firecracker: "HTTP/ },
  { what: 'it has no port', answer: 'OK\n', words: /not an answer of Firecracker/ },
  { what: 'the line never ends', answer: 'OK '.repeat(40), words: /not an answer of Firecracker/ },
])('is refused in words when $what', async ({ answer, words }) => {
  const socket = await dial((peer) => void peer.end(answer));
  await expect(openVsockPort(socket, 7001)).rejects.toThrow(words);
  expect(socket.destroyed).toBe(true);
});

it('gives up on an answer that does not come', async () => {
  const socket = await dial(() => undefined);
  await expect(openVsockPort(socket, 7001, 50)).rejects.toThrow('vsock port 7001: no answer within 50 ms');
  expect(socket.destroyed).toBe(true);
});

it('tells a guest that takes the connection and drops it from one that speaks, and takes nothing of what it says', async () => {
  const silent = await openVsockPort(await dial((peer) => void peer.end('OK 5\n')), 7001);
  await expect(waitForFirstBytes(silent, 7001)).rejects.toThrow('vsock port 7001: nobody listens in the guest');
  const speaking = await openVsockPort(await dial((peer) => void peer.end('OK 5\nRFB 003.008\n')), 7001);
  expect(await readAll(await waitForFirstBytes(speaking, 7001))).toBe('RFB 003.008\n');
  const mute = await openVsockPort(await dial((peer) => void peer.write('OK 5\n')), 7001);
  await expect(waitForFirstBytes(mute, 7001, 50)).rejects.toThrow('vsock port 7001: the guest says nothing');
});
