/** A live view for components: the element it is drawn in, its state, and what the page may do with it. */
import type { RefObject } from 'react';
import { useEffect, useRef, useState } from 'react';
import { client } from '../api-client.ts';
import type { LiveViewConnection, LiveViewState } from './live-view-connection.ts';
import { loadNoVnc, openLiveView } from './live-view-connection.ts';
import { KEYS, MAX_PASTE_CHARS, toPasteKeysyms } from './paste-keys.ts';
import type { KeyName } from './paste-keys.ts';

export type PasteResult = 'sent' | 'empty' | 'too_long' | 'clipboard_blocked';

/** What the page may do to the remote browser. Without a connection each does nothing. */
export type LiveViewKeys = {
  send(keysyms: readonly number[]): void;
  press(name: KeyName): void;
  pasteText(text: string): PasteResult;
  /** Reads the clipboard; browsers allow it only from a click, and some not at all. */
  pasteClipboard(): Promise<PasteResult>;
  focus(): void;
};

export type LiveView = {
  roomRef: RefObject<HTMLDivElement | null>;
  state: LiveViewState;
  keys: LiveViewKeys;
};

type LiveViewOptions = {
  sessionId: string;
  label: string;
  /** Whether there is a screen to show: connects when it becomes true, with `roomRef` rendered by then. */
  ready: boolean;
};

export function useLiveView({ sessionId, label, ready }: LiveViewOptions): LiveView {
  const roomRef = useRef<HTMLDivElement>(null);
  const connection = useRef<LiveViewConnection>(null);
  const [state, setState] = useState<LiveViewState>('connecting');

  useEffect(() => {
    loadNoVnc().catch(() => undefined); // Only to have it early; connecting loads it again and reports.
  }, []);

  useEffect(() => {
    const room = roomRef.current;
    if (!ready || room === null) return;
    const issueTicket = () => client.issueTicket(sessionId);
    const opened = openLiveView({ room, label, issueTicket, onState: setState });
    connection.current = opened;
    return () => {
      connection.current = null;
      opened.close();
    };
  }, [sessionId, label, ready]);

  const send = (keysyms: readonly number[]): void => void connection.current?.send(keysyms);
  const pasteText = (text: string): PasteResult => {
    if (text.length > MAX_PASTE_CHARS) return 'too_long';
    const keysyms = toPasteKeysyms(text);
    if (keysyms.length === 0) return 'empty';
    send(keysyms);
    return 'sent';
  };
  const pasteClipboard = async (): Promise<PasteResult> => {
    const text = await Promise.resolve()
      .then(() => navigator.clipboard.readText())
      .catch(() => null);
    return text === null ? 'clipboard_blocked' : pasteText(text);
  };
  const keys: LiveViewKeys = {
    send,
    press: (name) => send([KEYS[name]]),
    pasteText,
    pasteClipboard,
    focus: () => connection.current?.focus(),
  };
  return { roomRef, state, keys };
}
