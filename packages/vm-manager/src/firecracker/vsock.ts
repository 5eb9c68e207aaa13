/**
 * Connects to a port of the guest through Firecracker's vsock socket: `CONNECT <port>`, then `OK <host port>`, then the guest's own bytes.
 * Firecracker closes the connection without a word when nobody listens.
 */
import type { Socket } from 'node:net';

export const HANDSHAKE_MS = 5000;
/** "OK 4294967295\n" and some more. */
const LONGEST_ANSWER = 32;

/** `socket` is connected to the vsock socket. Rejects, and destroys it, when there is no such connection in time. */
export function openVsockPort(socket: Socket, port: number, handshakeMs: number = HANDSHAKE_MS): Promise<Socket> {
  return new Promise((resolve, reject) => {
    let answer = Buffer.alloc(0);
    const timer = setTimeout(() => fail(`no answer within ${handshakeMs} ms`), handshakeMs);

    function release(): void {
      clearTimeout(timer);
      socket.off('readable', onReadable).off('end', onEnd).off('close', onEnd).off('error', onError);
    }
    function fail(words: string): void {
      release();
      socket.on('error', () => undefined).destroy();
      reject(new Error(`vsock port ${port}: ${words}`));
    }
    function onEnd(): void {
      fail(answer.length === 0 ? 'nobody listens in the guest' : `the answer broke off: ${show(answer)}`);
    }
    function onError(error: Error): void {
      fail(error.message);
    }
    function onReadable(): void {
      for (let chunk = read(socket); chunk !== null; chunk = read(socket)) {
        answer = Buffer.concat([answer, chunk]);
        const end = answer.indexOf('\n');
        if (end < 0 && answer.length <= LONGEST_ANSWER) continue;
        if (end < 0 || !/^OK \d{1,10}$/.test(answer.subarray(0, end).toString()))
          return fail(`not an answer of Firecracker: ${show(answer)}`);
        release();
        const rest = answer.subarray(end + 1);
        if (rest.length > 0) socket.unshift(rest);
        // Stays: an error before the caller listens must end no more than the socket.
        socket.on('error', () => undefined);
        return resolve(socket);
      }
    }
    socket.on('readable', onReadable).on('end', onEnd).on('close', onEnd).on('error', onError);
    socket.write(`CONNECT ${port}\n`);
  });
}

/** For a guest that speaks first. Resolves to the same socket, nothing of it taken; rejects when it ends, or says nothing in time. */
export function waitForFirstBytes(socket: Socket, port: number, timeoutMs: number = HANDSHAKE_MS): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => settle('the guest says nothing'), timeoutMs);
    const onReadable = (): void => settle(socket.readableLength > 0 ? null : 'nobody listens in the guest');
    const onClose = (): void => settle('nobody listens in the guest');
    function settle(words: string | null): void {
      clearTimeout(timer);
      socket.off('readable', onReadable).off('close', onClose);
      if (words === null) return resolve(socket);
      socket.destroy();
      reject(new Error(`vsock port ${port}: ${words}`));
    }
    if (socket.readableLength > 0) settle(null);
    else socket.on('readable', onReadable).on('close', onClose);
  });
}

const read = (socket: Socket): Buffer | null => socket.read() as Buffer | null;

const show = (bytes: Buffer): string => JSON.stringify(bytes.subarray(0, LONGEST_ANSWER).toString('latin1'));
