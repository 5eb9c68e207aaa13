/** The demo's sign-in page as a viewer sees it: its blue button, the field above it, and the ring around a field that has the focus. */
import type { Screen } from './rfb-viewer.ts';

type Colour = readonly [red: number, green: number, blue: number];
export type Button = { left: number; top: number };

const BUTTON: Colour = [0x2f, 0x5b, 0xd8];
/** `rgb(47 91 216 / 40%)` on white. */
const RING: Colour = [0xac, 0xbd, 0xef];
/** From the button's upper edge up to the middle of the password field. */
const FIELD_ABOVE = 46;
/** From the field's left edge out to the middle of its ring. */
const RING_OUTSIDE = 4;
const LEAST_WIDTH = 120;
/** Where the button's rounded corner has ended. */
const BELOW_CORNER = 20;

function isNear({ pixels, width }: Screen, x: number, y: number, [red, green, blue]: Colour): boolean {
  const at = (y * width + x) * 4;
  const differs = (value: number | undefined, wanted: number): boolean => Math.abs((value ?? 0) - wanted) > 12;
  return !differs(pixels[at], blue) && !differs(pixels[at + 1], green) && !differs(pixels[at + 2], red);
}

/**
 * The button; null before it is painted. It moves when the window takes its final size. Looks at few pixels, as it is asked at every
 * update.
 */
export function findButton(screen: Screen): Button | null {
  const isButton = (x: number, y: number): boolean => isNear(screen, x, y, BUTTON);
  for (let y = 0; y < screen.height; y += 10) {
    for (let x = 0; x + LEAST_WIDTH < screen.width; x += LEAST_WIDTH / 4) {
      if (![0, 0.25, 0.5, 0.75, 1].every((part) => isButton(x + part * LEAST_WIDTH, y))) continue;
      let [left, top] = [x, y];
      while (isButton(x, top - 1)) top -= 1;
      while (isButton(left - 1, top + BELOW_CORNER)) left -= 1;
      return isButton(left, top + BELOW_CORNER) ? { left, top } : null;
    }
  }
  return null;
}

/** In the middle of the password field. */
export function toFieldPlace({ left, top }: Button): { x: number; y: number } {
  return { x: left + LEAST_WIDTH / 2, y: top - FIELD_ABOVE };
}

/** Whether the password field above the button has the focus: it has not when the page opens. */
export function hasFocus(screen: Screen, { left, top }: Button): boolean {
  return isNear(screen, left - RING_OUTSIDE, top - FIELD_ABOVE, RING);
}
