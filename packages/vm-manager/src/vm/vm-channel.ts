/**
 * Connects to a socket that a VM made in its own folder. The folder is the VM's to fill, so what is found there is not trusted:
 * the entry itself is opened (never through a symlink), seen to be a socket, and connected through that descriptor. A path of any length works.
 */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';

/** Linux's O_PATH, which `fs.constants` lacks: names a file without opening it. */
const O_PATH = 0o10000000;

/** Rejects when there is no such socket or nobody listens on it. */
export async function connectToVmSocket(path: string): Promise<Socket> {
  const entry = await open(path, O_PATH | constants.O_NOFOLLOW);
  try {
    if (!(await entry.stat()).isSocket()) throw new Error(`not a socket: ${path}`);
    return await new Promise((resolve, reject) => {
      const socket = connect({ path: `/proc/self/fd/${entry.fd}` });
      // Stays: an error before the caller listens must end no more than the socket.
      socket.on('error', reject);
      socket.once('connect', () => resolve(socket));
    });
  } finally {
    await entry.close();
  }
}
