/** A display without a screen: an RFB 3.8 server (security None, raw pixels) that shows one of two pictures and notices clicks and keys. */
import type { Duplex } from 'node:stream';
import { PICTURE, toPixels, type PictureName, type PixelFormat } from './fake-picture.ts';
import { takeRfbMessage, toPixelFormatBytes, type RfbClientMessage } from './rfb-messages.ts';

const VERSION = 'RFB 003.008\n';
const NAME = 'Vestibule fake display';
const DEFAULT_FORMAT: PixelFormat = { bitsPerPixel: 32, bigEndian: false, max: [255, 255, 255], shift: [16, 8, 0] };
const RAW_ENCODING = 0;

export class FakeDisplay {
  readonly #onInput: () => void;
  readonly #viewers = new Set<Viewer>();
  #picture: PictureName = 'waiting';

  constructor(onInput: () => void) {
    this.#onInput = onInput;
  }

  accept(stream: Duplex): void {
    const viewer = new Viewer(stream, () => this.#picture, this.#onInput);
    this.#viewers.add(viewer);
    stream.once('close', () => this.#viewers.delete(viewer));
  }

  show(picture: PictureName): void {
    this.#picture = picture;
    for (const viewer of this.#viewers) viewer.update();
  }

  close(): void {
    for (const viewer of this.#viewers) viewer.close();
  }
}

class Viewer {
  readonly #stream: Duplex;
  readonly #picture: () => PictureName;
  readonly #onInput: () => void;
  #input = Buffer.alloc(0);
  #phase: 'version' | 'security' | 'client_init' | 'running' = 'version';
  #format = DEFAULT_FORMAT;
  #shown: PictureName | null = null;
  #wanted = false;

  constructor(stream: Duplex, picture: () => PictureName, onInput: () => void) {
    this.#stream = stream;
    this.#picture = picture;
    this.#onInput = onInput;
    stream.on('error', () => stream.destroy());
    stream.on('data', (chunk: Buffer) => this.#take(chunk));
    stream.on('end', () => stream.destroy());
    stream.write(VERSION);
  }

  close(): void {
    this.#stream.destroy();
  }

  /** Sends the picture when the viewer waits for one it has not seen. */
  update(): void {
    const picture = this.#picture();
    if (!this.#wanted || this.#shown === picture) return;
    this.#wanted = false;
    this.#shown = picture;
    const header = Buffer.alloc(16);
    header.writeUInt16BE(1, 2);
    header.writeUInt16BE(PICTURE.width, 8);
    header.writeUInt16BE(PICTURE.height, 10);
    header.writeInt32BE(RAW_ENCODING, 12);
    this.#stream.write(header);
    this.#stream.write(toPixels(picture, this.#format));
  }

  #take(chunk: Buffer): void {
    this.#input = Buffer.concat([this.#input, chunk]);
    try {
      while (this.#step());
    } catch {
      this.#stream.destroy();
    }
  }

  /** Whether another step may be possible. */
  #step(): boolean {
    switch (this.#phase) {
      case 'version':
        // One security type: 1, None.
        return this.#shift(VERSION.length, 'security', () => Buffer.from([1, 1]));
      case 'security':
        return this.#shift(1, 'client_init', () => Buffer.from([0, 0, 0, 0]));
      case 'client_init':
        return this.#shift(1, 'running', toServerInit);
      case 'running': {
        const taken = takeRfbMessage(this.#input);
        if (taken === null) return false;
        this.#input = this.#input.subarray(taken.bytes);
        this.#act(taken.message);
        return true;
      }
    }
  }

  #shift(bytes: number, next: 'security' | 'client_init' | 'running', toAnswer: () => Buffer): boolean {
    if (this.#input.length < bytes) return false;
    this.#input = this.#input.subarray(bytes);
    this.#phase = next;
    this.#stream.write(toAnswer());
    return true;
  }

  #act(message: RfbClientMessage): void {
    if (message.type === 'set_pixel_format') {
      this.#format = message.format;
      this.#shown = null;
    } else if (message.type === 'update_request') {
      this.#wanted = true;
      if (!message.incremental) this.#shown = null;
      this.update();
    } else if ((message.type === 'key' && message.down) || (message.type === 'pointer' && message.buttons !== 0)) {
      this.#onInput();
    }
  }
}

function toServerInit(): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16BE(PICTURE.width, 0);
  head.writeUInt16BE(PICTURE.height, 2);
  const name = Buffer.alloc(4);
  name.writeUInt32BE(NAME.length);
  return Buffer.concat([head, toPixelFormatBytes(DEFAULT_FORMAT), name, Buffer.from(NAME)]);
}
