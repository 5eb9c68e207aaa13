/**
 * Text as X keysyms, so that pasting needs no shared clipboard (a shared one can freeze the remote browser: live-view facts, 5).
 * Keysyms: https://www.x.org/releases/current/doc/xproto/x11protocol.html#keysym_encoding
 */

export const KEYS = { backspace: 0xff08, tab: 0xff09, enter: 0xff0d, escape: 0xff1b } as const;
export type KeyName = keyof typeof KEYS;

/**
 * Released before text is sent, or it would arrive as shortcuts. By their physical keys: the server ignores the release of a keysym whose
 * press named a physical key (TigerVNC, VNCSConnectionST::keyEvent).
 */
export const MODIFIERS = [
  { keysym: 0xffe1, code: 'ShiftLeft' },
  { keysym: 0xffe2, code: 'ShiftRight' },
  { keysym: 0xffe3, code: 'ControlLeft' },
  { keysym: 0xffe4, code: 'ControlRight' },
  { keysym: 0xffe9, code: 'AltLeft' },
  { keysym: 0xffea, code: 'AltRight' },
  { keysym: 0xffeb, code: 'MetaLeft' },
  { keysym: 0xffec, code: 'MetaRight' },
] as const;

/** Longer text is refused: it would take many seconds of key presses, and no sign-in asks for it. */
export const MAX_PASTE_CHARS = 4_096;

/** The keysym of one code point; null for control characters. Latin-1 is itself, everything else has the Unicode prefix. */
function toKeysym(codePoint: number): number | null {
  if (codePoint < 0x20 || (codePoint >= 0x7f && codePoint < 0xa0)) return null;
  return codePoint <= 0xff ? codePoint : 0x01000000 | codePoint;
}

export function toKeysyms(text: string): number[] {
  return Array.from(text, (char) => toKeysym(char.codePointAt(0) ?? 0)).filter((keysym) => keysym !== null);
}

/**
 * Keysyms for pasted text. As in a browser's one-line field, line breaks vanish (Enter would send the form) and a tab is a space (Tab
 * would leave the field).
 */
export function toPasteKeysyms(text: string): number[] {
  return toKeysyms(text.replaceAll(/[\r\n]+/g, '').replaceAll('\t', ' '));
}

/** The keys that turn what a text box held into what it holds now: backspaces for what changed, then the new text. */
export function toEditKeysyms(before: string, after: string): number[] {
  const old = Array.from(before);
  const now = Array.from(after);
  let same = 0;
  while (same < old.length && same < now.length && old[same] === now[same]) same += 1;
  const backspaces = old.slice(same).map(() => KEYS.backspace);
  return [...backspaces, ...toPasteKeysyms(now.slice(same).join(''))];
}
