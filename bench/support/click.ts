/** What "the page takes a click" means: one click into the password field, and the page draws the ring of a field that has the focus. */
import type { RfbViewer, Screen } from './rfb-viewer.ts';
import { nowMs } from './measures.ts';
import { findButton, hasFocus, toFieldPlace } from './sign-in-page.ts';

/** An emulated machine needs most of a minute to paint. */
const PATIENCE_MS = 240_000;
/** A click that showed nothing by then is clicked again, as a person would. */
const CLICK_AGAIN_MS = 300;

export type Click = { paintedAtMs: number; clickedAtMs: number; missedClicks: number };

/** Closes the viewer. */
export async function clickIntoField(viewer: RfbViewer): Promise<Click> {
  let button = await viewer.waitFor(findButton, PATIENCE_MS, 'the sign-in page');
  const paintedAtMs = nowMs();
  let clicks = 0;
  const click = (): void => {
    clicks += 1;
    const { x, y } = toFieldPlace(button);
    viewer.click(x, y);
  };
  click();
  const again = setInterval(click, CLICK_AGAIN_MS);
  try {
    const look = (screen: Screen): true | null => {
      button = findButton(screen) ?? button;
      return hasFocus(screen, button) ? true : null;
    };
    await viewer.waitFor(look, PATIENCE_MS, 'the focus in the field that was clicked');
    return { paintedAtMs, clickedAtMs: nowMs(), missedClicks: clicks - 1 };
  } finally {
    clearInterval(again);
    viewer.close();
  }
}
