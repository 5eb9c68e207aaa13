/** Looks at a VM's screen as a viewer does (RFB 3.8, RFC 6143; no security, raw pixels) until its page is seen. */
import type { Socket } from 'node:net';
import { connectWhenThere } from './socket-wait.ts';

/** Away from the middle, where a page may have text, and from the browser's own frame. */
const LOOK_AT = { x: 240, y: 620 };
const ASK_AGAIN_MS = 100;

/** Resolves when the pixel has the colour (`#rrggbb`). Rejects at `late` with the colour that it has. */
export async function findScreenColour(socketPath: string, wanted: string, late: AbortSignal): Promise<void> {
  const socket = await connectWhenThere(socketPath, late);
  const giveUp = (): void => void socket.destroy();
  late.addEventListener('abort', giveUp);
  let seen = 'no colour at all';
  try {
    const read = createReader(socket);
    await shakeHands(socket, read);
    for (;;) {
      seen = await readPixel(socket, read);
      if (seen === wanted) return;
      await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
    }
  } catch (error) {
    throw new Error(`the screen did not show the browser's page: it has ${seen}, and ${wanted} was expected`, {
      cause: error,
    });
  } finally {
    late.removeEventListener('abort', giveUp);
    socket.destroy();
  }
}

type Read = (bytes: number) => Promise<Buffer>;

function createReader(socket: Socket): Read {
  const chunks = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let held = Buffer.alloc(0);
  return async (bytes) => {
    while (held.length < bytes) {
      const next = await chunks.next();
      if (next.done === true) throw new Error('the display closed the connection');
      held = Buffer.concat([held, next.value]);
    }
    const taken = held.subarray(0, bytes);
    held = held.subarray(bytes);
    return taken;
  };
}

async function shakeHands(socket: Socket, read: Read): Promise<void> {
  await read(12);
  socket.write('RFB 003.008\n');
  const [kinds = 0] = await read(1);
  await read(kinds);
  socket.write(Buffer.from([1]));
  if ((await read(4)).readUInt32BE() !== 0) throw new Error('the display refused the viewer');
  socket.write(Buffer.from([1]));
  const init = await read(24);
  await read(init.readUInt32BE(20));
  // 32 bits, blue first; raw pixels.
  socket.write(Buffer.from([0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0]));
  socket.write(Buffer.from([2, 0, 0, 1, 0, 0, 0, 0]));
}

async function readPixel(socket: Socket, read: Read): Promise<string> {
  const request = Buffer.from([3, 0, 0, 0, 0, 0, 0, 1, 0, 1]);
  request.writeUInt16BE(LOOK_AT.x, 2);
  request.writeUInt16BE(LOOK_AT.y, 4);
  socket.write(request);
  let colour: string | null = null;
  while (colour === null) {
    const [type] = await read(1);
    if (type === 0) colour = await readUpdate(read);
    else if (type === 3) await read((await read(7)).readUInt32BE(3));
    else if (type !== 2) throw new Error(`the display sent a message of an unknown kind (${type})`);
  }
  return colour;
}

/** Null when the update has no pixel. */
async function readUpdate(read: Read): Promise<string | null> {
  const count = (await read(3)).readUInt16BE(1);
  let colour: string | null = null;
  for (let index = 0; index < count; index += 1) {
    const header = await read(12);
    const pixels = await read(4 * header.readUInt16BE(4) * header.readUInt16BE(6));
    if (pixels.length >= 4) colour = `#${[2, 1, 0].map((at) => pixels.toString('hex', at, at + 1)).join('')}`;
  }
  return colour;
}
