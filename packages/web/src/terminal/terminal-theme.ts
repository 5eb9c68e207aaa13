/** The terminal's colours, light and dark: sixteen that can be read on the ground they stand on. */
import type { ITheme } from '@xterm/xterm';

const LIGHT: ITheme = {
  background: '#ffffff',
  foreground: '#1b1c1f',
  cursor: '#2b54c8',
  cursorAccent: '#ffffff',
  selectionBackground: '#c8d6fb',
  black: '#1b1c1f',
  red: '#a22d23',
  green: '#17693f',
  yellow: '#744b00',
  blue: '#2b54c8',
  magenta: '#8a2b8a',
  cyan: '#0b6a75',
  white: '#5b5f67',
  brightBlack: '#5b5f67',
  brightRed: '#b3362b',
  brightGreen: '#1c7a4a',
  brightYellow: '#855800',
  brightBlue: '#3560d8',
  brightMagenta: '#9a379a',
  brightCyan: '#0d7782',
  brightWhite: '#1b1c1f',
};

const DARK: ITheme = {
  background: '#101114',
  foreground: '#eceef1',
  cursor: '#a3beff',
  cursorAccent: '#101114',
  selectionBackground: '#33446f',
  black: '#a5aab3',
  red: '#ffa196',
  green: '#84d7a9',
  yellow: '#efc472',
  blue: '#a3beff',
  magenta: '#e3a8e8',
  cyan: '#84d3dd',
  white: '#eceef1',
  brightBlack: '#a5aab3',
  brightRed: '#ffb8af',
  brightGreen: '#a1e4bf',
  brightYellow: '#f6d595',
  brightBlue: '#bdd0ff',
  brightMagenta: '#ecc0f0',
  brightCyan: '#a3e0e8',
  brightWhite: '#ffffff',
};

const DARK_QUERY = '(prefers-color-scheme: dark)';

/** Calls at once and whenever the system changes between light and dark. Returns how to stop. */
export function followTheme(apply: (theme: ITheme) => void): () => void {
  const query = window.matchMedia(DARK_QUERY);
  const tell = (): void => apply(query.matches ? DARK : LIGHT);
  query.addEventListener('change', tell);
  tell();
  return () => query.removeEventListener('change', tell);
}
