/** How large the remote screen should be for the room it has on the page. */

/** Chromium's windows are at least this wide; a narrower remote screen would cut them off. */
export const MIN_REMOTE_WIDTH = 500;

export type ViewSize = {
  width: number;
  height: number;
  /** The remote screen is larger than its room and is shown smaller. */
  shrunk: boolean;
};

export function toViewSize(roomWidth: number, roomHeight: number): ViewSize {
  const width = Math.max(1, Math.floor(roomWidth));
  const height = Math.max(1, Math.floor(roomHeight));
  if (width >= MIN_REMOTE_WIDTH) return { width, height, shrunk: false };
  return { width: MIN_REMOTE_WIDTH, height: Math.round((height * MIN_REMOTE_WIDTH) / width), shrunk: true };
}
