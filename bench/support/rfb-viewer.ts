/**
 * A viewer without a window: RFB 3.8 (RFC 6143), no security, raw pixels. It keeps the screen as bytes, asks for every change, and
 * clicks. Knows only a byte stream, so that the same viewer looks at a bare display and through the live view's relay.
 */
import { once } from 'node:events';
import type { Duplex } from 'node:stream';

/** Four bytes a pixel: blue, green, red, unused. */
export type Screen = { width: number; height: number; pixels: Buffer };

const RAW = 0;
const SHARED = 1;
const NO_SECURITY = 1;
const SERVER_INIT_BYTES = 24;

export class RfbViewer {
  readonly #stream: Duplex;
  readonly #screen: Screen;
  readonly #lookers = new Set<() => void>();
  #chunks: Buffer[] = [];
  #held = 0;
  #frames = 0;

  private constructor(stream: Duplex) {
    this.#stream = stream;
    this.#screen = { width: 0, height: 0, pixels: Buffer.alloc(0) };
    stream.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#held += chunk.length;
    });
    // Whoever waits for pixels notices by waiting too long.
    stream.on('error', () => undefined);
  }

  /** Resolves when the screen's size is known; pixels follow. */
  static async open(stream: Duplex): Promise<RfbViewer> {
    const viewer = new RfbViewer(stream);
    await viewer.#shakeHands();
    void viewer.#receive();
    return viewer;
  }

  /** Updates of the screen received so far. */
  get frames(): number {
    return this.#frames;
  }

  /** Resolves with what `look` finds, now or after a later update. */
  waitFor<T>(look: (screen: Screen) => T | null, withinMs: number, what: string): Promise<T> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        const found = look(this.#screen);
        if (found === null) return;
        clearTimeout(timer);
        this.#lookers.delete(check);
        resolve(found);
      };
      const timer = setTimeout(() => {
        this.#lookers.delete(check);
        reject(
          new Error(`the screen did not show ${what} within ${withinMs} ms; it was updated ${this.#frames} times`),
        );
      }, withinMs);
      this.#lookers.add(check);
      check();
    });
  }

  click(x: number, y: number): void {
    for (const buttons of [0, 1, 0]) {
      const event = Buffer.alloc(6);
      event.writeUInt8(5, 0);
      event.writeUInt8(buttons, 1);
      event.writeUInt16BE(x, 2);
      event.writeUInt16BE(y, 4);
      this.#stream.write(event);
    }
  }

  close(): void {
    this.#stream.destroy();
  }

  async #read(count: number): Promise<Buffer> {
    while (this.#held < count) await once(this.#stream, 'data');
    const all = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks);
    this.#chunks = [all.subarray(count)];
    this.#held -= count;
    return all.subarray(0, count);
  }

  async #shakeHands(): Promise<void> {
    await this.#read(12);
    this.#stream.write('RFB 003.008\n');
    const [kinds = 0] = await this.#read(1);
    await this.#read(kinds);
    this.#stream.write(Buffer.from([NO_SECURITY]));
    const result = await this.#read(4);
    if (result.readUInt32BE() !== 0) throw new Error('the display refused the viewer');
    this.#stream.write(Buffer.from([SHARED]));
    const init = await this.#read(SERVER_INIT_BYTES);
    const [bits, , bigEndian] = [init.readUInt8(4), init.readUInt8(5), init.readUInt8(6)];
    if (bits !== 32 || bigEndian !== 0 || init.readUInt8(14) !== 16)
      throw new Error('the display has another pixel format than expected');
    this.#screen.width = init.readUInt16BE(0);
    this.#screen.height = init.readUInt16BE(2);
    this.#screen.pixels = Buffer.alloc(this.#screen.width * this.#screen.height * 4);
    await this.#read(init.readUInt32BE(20));
    const encodings = Buffer.alloc(8);
    encodings.writeUInt8(2, 0);
    encodings.writeUInt16BE(1, 2);
    encodings.writeInt32BE(RAW, 4);
    this.#stream.write(encodings);
  }

  async #receive(): Promise<void> {
    this.#ask(false);
    for (;;) {
      const [type] = await this.#read(1);
      if (type === 0) await this.#receiveUpdate();
      else if (type === 3) await this.#read((await this.#read(7)).readUInt32BE(3));
      else if (type !== 2) throw new Error(`the display sent a message of unknown type ${type}`);
    }
  }

  async #receiveUpdate(): Promise<void> {
    const count = (await this.#read(3)).readUInt16BE(1);
    // Asked for before this one is read: no change waits for us.
    this.#ask(true);
    for (let index = 0; index < count; index += 1) {
      const head = await this.#read(12);
      const [x, y, width, height] = [0, 2, 4, 6].map((at) => head.readUInt16BE(at)) as [number, number, number, number];
      const pixels = await this.#read(width * height * 4);
      for (let row = 0; row < height; row += 1)
        pixels.copy(
          this.#screen.pixels,
          ((y + row) * this.#screen.width + x) * 4,
          row * width * 4,
          (row + 1) * width * 4,
        );
    }
    this.#frames += 1;
    for (const look of this.#lookers) look();
  }

  #ask(incremental: boolean): void {
    const request = Buffer.alloc(10);
    request.writeUInt8(3, 0);
    request.writeUInt8(incremental ? 1 : 0, 1);
    request.writeUInt16BE(this.#screen.width, 6);
    request.writeUInt16BE(this.#screen.height, 8);
    this.#stream.write(request);
  }
}
