/** Stands in for the OAuth agent: listens like it, speaks first like it, ends like it, and evaluates what a test sends it, line by line. */
import { execFile, spawn } from 'node:child_process';
import * as dgram from 'node:dgram';
import * as dns from 'node:dns/promises';
import * as fs from 'node:fs';
import * as https from 'node:https';
import * as net from 'node:net';
import * as os from 'node:os';
import { createContext, runInContext } from 'node:vm';

const stub = { isDeaf: false };
process.on('SIGTERM', () => {
  if (!stub.isDeaf) process.exit(1);
});

function serve(path: string | undefined, greeting: string, onLine: (socket: net.Socket, line: string) => void): void {
  const server = net.createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.write(greeting);
    socket.on('data', (chunk) => {
      for (const line of chunk.toString().trim().split('\n')) onLine(socket, line);
    });
  });
  server.listen(path);
}

const context = createContext({
  stub,
  execFile,
  spawn,
  dgram,
  dns,
  fs,
  https,
  net,
  os,
  process,
  fetch,
  setTimeout,
  Buffer,
});

async function evaluate(expression: string): Promise<unknown> {
  try {
    return await (runInContext(`(async () => (${expression}))()`, context) as Promise<unknown>);
  } catch (error) {
    return `failed: ${(error as Error).message}`;
  }
}

const hello = { type: 'hello', vmId: process.env['VESTIBULE_VM_ID'] };
serve(process.env['VESTIBULE_AGENT_SOCKET'], `${JSON.stringify(hello)}\n`, (socket, line) => {
  void evaluate(line).then((value) => socket.write(`${JSON.stringify(value ?? null)}\n`));
});
serve(process.env['VESTIBULE_RFB_SOCKET'], 'RFB 003.008\n', () => undefined);
