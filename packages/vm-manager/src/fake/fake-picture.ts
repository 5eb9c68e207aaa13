/** The two pictures of the fake display, drawn once for all VMs, and their conversion into the pixel form a viewer asks for. */
import { forEachDot, textColumns } from './bitmap-font.ts';

export const PICTURE = { width: 800, height: 500 } as const;
export type PictureName = 'waiting' | 'signed_in';

/** As RFB's SetPixelFormat gives it; true colour only. */
export type PixelFormat = {
  bitsPerPixel: number;
  bigEndian: boolean;
  max: readonly [number, number, number];
  shift: readonly [number, number, number];
};

type Colour = readonly [number, number, number];
const WHITE: Colour = [255, 255, 255];
const LOOKS: Readonly<
  Record<PictureName, { ground: Colour; lines: readonly { text: string; y: number; dot: number }[] }>
> = {
  waiting: {
    ground: [36, 52, 84],
    lines: [
      { text: 'FAKE SIGN-IN', y: 150, dot: 8 },
      { text: 'CLICK OR PRESS A KEY TO SIGN IN', y: 300, dot: 3 },
    ],
  },
  signed_in: { ground: [22, 128, 60], lines: [{ text: 'SIGNED IN', y: 210, dot: 10 }] },
};

const drawn = new Map<PictureName, Uint8Array>();

/** Three bytes a pixel, rows from the top. */
function draw(name: PictureName): Uint8Array {
  const known = drawn.get(name);
  if (known !== undefined) return known;
  const { ground, lines } = LOOKS[name];
  const pixels = new Uint8Array(PICTURE.width * PICTURE.height * 3);
  for (let at = 0; at < pixels.length; at += 3) pixels.set(ground, at);
  for (const { text, y, dot } of lines) {
    const left = Math.floor((PICTURE.width - textColumns(text) * dot) / 2);
    forEachDot(text, (column, row) => fillSquare(pixels, left + column * dot, y + row * dot, dot));
  }
  drawn.set(name, pixels);
  return pixels;
}

function fillSquare(pixels: Uint8Array, left: number, top: number, size: number): void {
  for (let y = top; y < top + size; y += 1)
    for (let x = left; x < left + size; x += 1) pixels.set(WHITE, (y * PICTURE.width + x) * 3);
}

export function toPixels(name: PictureName, format: PixelFormat): Buffer {
  const colours = draw(name);
  const bytes = format.bitsPerPixel / 8;
  const out = Buffer.alloc(PICTURE.width * PICTURE.height * bytes);
  for (let from = 0, to = 0; from < colours.length; from += 3, to += bytes) {
    let value = 0;
    for (const channel of [0, 1, 2] as const) {
      const level = Math.round(((colours[from + channel] ?? 0) * format.max[channel]) / 255);
      value += level * 2 ** format.shift[channel];
    }
    if (format.bigEndian) out.writeUIntBE(value, to, bytes);
    else out.writeUIntLE(value, to, bytes);
  }
  return out;
}
