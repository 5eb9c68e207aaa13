/** A viewer that only types: the RFB handshake (RFC 6143, version 3.8, no security) and key events. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

const RETURN_KEYSYM = 0xff0d;
const KEY_EVENT = 4;

export class RfbTypist {
  readonly closed: Promise<unknown>;
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.closed = once(socket, 'close');
  }

  static async connect(path: string): Promise<RfbTypist> {
    const socket = connect(path);
    const next = async (): Promise<void> => void (await once(socket, 'data'));
    await next();
    socket.write('RFB 003.008\n');
    await next();
    socket.write(Buffer.from([1]));
    await next();
    socket.write(Buffer.from([1]));
    await next();
    socket.resume();
    socket.on('error', () => undefined);
    return new RfbTypist(socket);
  }

  /** Types the text, again and again until `done`: nobody can see over this connection whether the page is painted yet. */
  async typeUntil(text: string, done: Promise<unknown>): Promise<void> {
    let isDone = false;
    void done.finally(() => (isDone = true));
    while (!isDone) {
      for (const character of text) this.#press(character === '\n' ? RETURN_KEYSYM : character.charCodeAt(0));
      await Promise.race([done, delay(1000)]);
    }
  }

  #press(keysym: number): void {
    for (const down of [1, 0]) {
      const event = Buffer.alloc(8);
      event.writeUInt8(KEY_EVENT, 0);
      event.writeUInt8(down, 1);
      event.writeUInt32BE(keysym, 4);
      this.#socket.write(event);
    }
  }
}
