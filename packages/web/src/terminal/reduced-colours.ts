/**
 * Colours of 24 bits, in what a program prints, become the nearest of the 256 that a terminal names by number. xterm.js would give each
 * such text a style attribute, which the page's policy does not allow; for the numbered ones it has classes.
 */

const LEVELS: readonly number[] = [0, 95, 135, 175, 215, 255];

function toNearestLevel(value: number): number {
  return LEVELS.reduce((best, level, index) => {
    const bestLevel = LEVELS[best] ?? 0;
    return Math.abs(level - value) < Math.abs(bestLevel - value) ? index : best;
  }, 0);
}

function toNumber(red: number, green: number, blue: number): number {
  const grey = Math.round((red + green + blue) / 3);
  const isGrey = Math.max(red, green, blue) - Math.min(red, green, blue) < 12;
  if (isGrey && grey > 4 && grey < 242) return 232 + Math.min(23, Math.max(0, Math.round((grey - 8) / 10)));
  return 16 + 36 * toNearestLevel(red) + 6 * toNearestLevel(green) + toNearestLevel(blue);
}

/** `38;2;r;g;b`, or with colons and an optional colour space: `38:2::r:g:b`. */
const FULL_COLOUR = /\b([345]8)(?:;2;(\d+);(\d+);(\d+)|:2:(?:\d*:)?(\d+):(\d+):(\d+))(?=[;:]|$)/g;
// eslint-disable-next-line no-control-regex
const GRAPHICS = /\u001B\[([\d;:]*)m/g;
/** What may be the beginning of one that the next chunk ends. */
// eslint-disable-next-line no-control-regex
const UNFINISHED = /\u001B(?:\[[\d;:]*)?$/;

function reduceColours(text: string): string {
  return text.replaceAll(GRAPHICS, (_, parameters: string) => {
    const reduced = parameters.replaceAll(FULL_COLOUR, (_whole, kind: string, ...found: unknown[]) => {
      const [red = 0, green = 0, blue = 0] = found
        .slice(0, 6)
        .flatMap((one) => (one === undefined ? [] : [Number(one)]));
      return `${kind};5;${toNumber(red, green, blue)}`;
    });
    return `\u001B[${reduced}m`;
  });
}

/** For texts that come in pieces: a control sequence may be cut anywhere. */
export function createColourReducer(): (chunk: string) => string {
  let rest = '';
  return (chunk) => {
    const text = rest + chunk;
    rest = UNFINISHED.exec(text)?.[0] ?? '';
    return reduceColours(text.slice(0, text.length - rest.length));
  };
}
