/** A QR code as one SVG path, a square for each dark module. */
import { encode } from 'uqr';

export type QrPath = { path: string; size: number };

/** Modules of white around it; the standard asks for four. */
const QUIET_ZONE = 4;

/** Null when the text is too long for a code that a camera reads. */
export function toQrPath(text: string): QrPath | null {
  try {
    const { data, size } = encode(text, { ecc: 'L', border: QUIET_ZONE });
    const squares = data.flatMap((row, y) => row.flatMap((isDark, x) => (isDark ? [`M${x} ${y}h1v1h-1z`] : [])));
    return { path: squares.join(''), size };
  } catch {
    return null;
  }
}
