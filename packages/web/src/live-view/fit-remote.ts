/**
 * Makes the remote screen as large as its room, and keeps it so. Where the room is too narrow for the remote browser (a phone), the remote
 * screen gets the browser's least width and is shown smaller: noVNC can ask for a size and scale, but asks only for the size of its own
 * element, so the element is that large while it asks and as large as the room afterwards.
 */
import type RFB from '@novnc/novnc';
import { toViewSize } from './view-size.ts';

/** A server that cannot resize is scaled as it is after this long. */
const RESIZE_ANSWER_MS = 1_500;

/** `target` is the element that noVNC draws in, the only child of `room`. Returns the end of the watching. */
export function fitRemote(rfb: RFB, room: HTMLElement, target: HTMLElement): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const canvas = target.querySelector('canvas');

  function fill(): void {
    target.style.width = '100%';
    target.style.height = '100%';
    rfb.scaleViewport = true;
  }

  function settleShrunk(): void {
    clearTimeout(timer);
    rfb.resizeSession = false;
    fill();
  }

  function fit(): void {
    clearTimeout(timer);
    const size = toViewSize(room.clientWidth, room.clientHeight);
    if (!size.shrunk) {
      fill();
      rfb.resizeSession = true;
      return;
    }
    if (canvas?.width === size.width && canvas.height === size.height) return settleShrunk();
    rfb.scaleViewport = false;
    target.style.width = `${size.width}px`;
    target.style.height = `${size.height}px`;
    rfb.resizeSession = true;
    timer = setTimeout(settleShrunk, RESIZE_ANSWER_MS);
  }

  const roomWatch = new ResizeObserver(fit);
  roomWatch.observe(room);
  const screenWatch = new MutationObserver(() => {
    const size = toViewSize(room.clientWidth, room.clientHeight);
    if (size.shrunk && canvas?.width === size.width && canvas.height === size.height) settleShrunk();
  });
  if (canvas !== null) screenWatch.observe(canvas, { attributeFilter: ['width', 'height'] });
  fit();
  return () => {
    clearTimeout(timer);
    roomWatch.disconnect();
    screenWatch.disconnect();
  };
}
