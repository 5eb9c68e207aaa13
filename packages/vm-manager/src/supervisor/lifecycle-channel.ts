/**
 * The host's end of a VM's lifecycle channel over vsock: a socket in the jail that Firecracker connects to when the guest's init calls. Made
 * before Firecracker runs, while nobody else can change the jail's folder, and reached through that folder's descriptor: no path is too long.
 */
import { chown, open } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { readLifecycleWords, STOP_LINE, type LifecycleWord } from './lifecycle-words.ts';

export type LifecycleChannel = {
  /** What the guest said last of its end; null when it said nothing. */
  lastWord(): Exclude<LifecycleWord, { type: 'started' }> | null;
  /** Whether there is somebody to hear it now. Whoever calls later hears it at once. */
  askToStop(): boolean;
  close(): Promise<void>;
};

/** `name`: of the socket, within `dir`. */
export async function openLifecycleChannel(dir: string, name: string, uid: number): Promise<LifecycleChannel> {
  const folder = await open(dir, 'r');
  const path = `/proc/self/fd/${folder.fd}/${name}`;
  let guest: Socket | null = null;
  let isAsked = false;
  let last: Exclude<LifecycleWord, { type: 'started' }> | null = null;

  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    // The guest's init calls once, before anything else in the guest runs.
    if (guest !== null) return void socket.destroy();
    guest = socket;
    readLifecycleWords(socket, (word) => {
      if (word.type !== 'started') last = word;
    });
    if (isAsked) socket.write(STOP_LINE);
  });
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(path, resolve);
    });
    await chown(path, uid, uid);
  } catch (error) {
    await folder.close();
    throw error;
  }
  return {
    lastWord: () => last,
    askToStop() {
      isAsked = true;
      guest?.write(STOP_LINE);
      return guest !== null;
    },
    async close() {
      guest?.destroy();
      await new Promise((resolve) => server.close(resolve));
      await folder.close();
    },
  };
}
