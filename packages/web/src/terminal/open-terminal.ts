/** One xterm.js in an element: shows what the program prints, and tells what is typed while somebody has the keyboard. */
import '@xterm/xterm/css/xterm.css';
import { FitAddon } from '@xterm/addon-fit';
import { Terminal } from '@xterm/xterm';
import { withAdoptedStyles } from './adopted-styles.ts';
import { createColourReducer } from './reduced-colours.ts';
import { followTheme } from './terminal-theme.ts';

export type OpenTerminal = {
  write(text: string): void;
  /** Whether keys are for the program; if not, they do on the page what they always do. */
  setTaken(isTaken: boolean): void;
  close(): void;
};

type TerminalOptions = {
  room: HTMLElement;
  label: string;
  onKeys: (keys: string) => void;
  /** Ctrl+Alt+Enter: the way out for who has no mouse. */
  onLeave: () => void;
};

const isLeave = (event: KeyboardEvent): boolean => event.ctrlKey && event.altKey && event.key === 'Enter';

export function openTerminal({ room, label, onKeys, onLeave }: TerminalOptions): OpenTerminal {
  const fontFamily = getComputedStyle(document.documentElement).getPropertyValue('--font-mono') || 'monospace';
  const terminal = new Terminal({
    disableStdin: true,
    cursorBlink: false,
    cursorInactiveStyle: 'none',
    fontFamily,
    fontSize: 13,
    screenReaderMode: true,
    scrollback: 5_000,
  });
  const fit = new FitAddon();
  terminal.loadAddon(fit);
  const dropStyles = withAdoptedStyles(document, () => terminal.open(room));
  terminal.textarea?.setAttribute('aria-label', label);
  const stopTheme = followTheme((theme) => (terminal.options.theme = theme));
  const resizing = new ResizeObserver(() => fit.fit());
  resizing.observe(room);
  let isTaken = false;
  terminal.attachCustomKeyEventHandler((event) => {
    if (!isTaken) return false;
    if (!isLeave(event)) return true;
    event.preventDefault();
    if (event.type === 'keydown') onLeave();
    return false;
  });
  terminal.onData((keys) => {
    if (isTaken) onKeys(keys);
  });
  const reduce = createColourReducer();
  return {
    write: (text) => terminal.write(reduce(text)),
    setTaken: (next) => {
      isTaken = next;
      terminal.options.disableStdin = !next;
      if (next) terminal.focus();
      else terminal.blur();
    },
    close: () => {
      resizing.disconnect();
      stopTheme();
      terminal.dispose();
      dropStyles();
    },
  };
}
