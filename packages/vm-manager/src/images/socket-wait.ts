/** Connects to a unix socket that a program which was just started is about to listen on. */
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

const LOOK_AGAIN_MS = 50;

/** Rejects when nobody listens there before `late`. */
export async function connectWhenThere(path: string, late: AbortSignal): Promise<Socket> {
  for (;;) {
    const socket = await tryConnect(path);
    if (socket !== null) return socket;
    if (late.aborted) throw new Error(`nobody listens at ${path}`);
    await delay(LOOK_AGAIN_MS);
  }
}

function tryConnect(path: string): Promise<Socket | null> {
  return new Promise((resolve) => {
    const socket = connect(path, () => resolve(socket));
    socket.once('error', () => resolve(null));
  });
}
