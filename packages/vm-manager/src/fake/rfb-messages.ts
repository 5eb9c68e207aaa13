/** The client's half of RFB 3.8 (RFC 6143, section 7.5), as far as a viewer of a fake display needs it: bytes in, messages out. */
import type { PixelFormat } from './fake-picture.ts';

export type RfbClientMessage =
  | { type: 'set_pixel_format'; format: PixelFormat }
  | { type: 'update_request'; incremental: boolean }
  | { type: 'key'; down: boolean }
  | { type: 'pointer'; buttons: number }
  | { type: 'other' };

type Taken = { message: RfbClientMessage; bytes: number };

/** Null while the message is incomplete. Throws on a message type that was never offered. */
export function takeRfbMessage(input: Buffer): Taken | null {
  const length = lengthOf(input);
  if (length === null || input.length < length) return null;
  return { message: parse(input), bytes: length };
}

function lengthOf(input: Buffer): number | null {
  switch (input[0]) {
    case undefined:
      return null;
    case 0:
      return 20;
    case 2:
      return input.length < 4 ? null : 4 + 4 * input.readUInt16BE(2);
    case 3:
      return 10;
    case 4:
      return 8;
    case 5:
      return 6;
    case 6:
      return input.length < 8 ? null : 8 + Math.abs(input.readInt32BE(4));
    default:
      throw new Error(`unknown RFB message ${input[0]}`);
  }
}

function parse(input: Buffer): RfbClientMessage {
  switch (input[0]) {
    case 0:
      return { type: 'set_pixel_format', format: toPixelFormat(input.subarray(4)) };
    case 3:
      return { type: 'update_request', incremental: input[1] !== 0 };
    case 4:
      return { type: 'key', down: input[1] !== 0 };
    case 5:
      return { type: 'pointer', buttons: input.readUInt8(1) };
    default:
      return { type: 'other' };
  }
}

function toPixelFormat(input: Buffer): PixelFormat {
  const bitsPerPixel = input.readUInt8(0);
  if (![8, 16, 32].includes(bitsPerPixel)) throw new Error(`unknown RFB pixel size ${bitsPerPixel}`);
  return {
    bitsPerPixel,
    bigEndian: input[2] !== 0,
    max: [input.readUInt16BE(4), input.readUInt16BE(6), input.readUInt16BE(8)],
    shift: [input.readUInt8(10), input.readUInt8(11), input.readUInt8(12)],
  };
}

export function toPixelFormatBytes(format: PixelFormat): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.set([format.bitsPerPixel, 24, format.bigEndian ? 1 : 0, 1]);
  for (const [index, max] of format.max.entries()) bytes.writeUInt16BE(max, 4 + 2 * index);
  bytes.set(format.shift, 10);
  return bytes;
}
