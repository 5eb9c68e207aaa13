/**
 * One live view over as many connections as it takes: a ticket, a WebSocket, noVNC on it; again with a new ticket whenever the socket
 * drops, until it is closed or the server says that the session has ended. noVNC is loaded when it is first needed.
 */
import type RFB from '@novnc/novnc';
import { AppError } from '@vestibule/protocol/errors';
import { ROUTES } from '@vestibule/protocol/routes';
import type { Ticket } from '@vestibule/protocol/api';
import { fitRemote } from './fit-remote.ts';
import { MODIFIERS } from './paste-keys.ts';

export type LiveViewState = 'connecting' | 'connected' | 'reconnecting' | 'ended';

export type LiveViewConnection = {
  /** Presses and releases each key in order, after letting go of held modifiers; paced, so that the remote keeps up. */
  send(keysyms: readonly number[]): Promise<void>;
  focus(): void;
  close(): void;
};

type LiveViewOptions = {
  room: HTMLElement;
  /** The canvas's name for screen readers. */
  label: string;
  issueTicket: () => Promise<Ticket>;
  onState: (state: LiveViewState) => void;
};

/** The live view has ended: no other connection will be let in (see `ROUTES.liveView`). */
const CLOSE_ENDED = 4410;
const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 5_000;
const KEYS_AT_ONCE = 24;
const KEYS_PAUSE_MS = 16;

export const loadNoVnc = (): Promise<typeof RFB> => import('@novnc/novnc').then((module) => module.default);

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function toSocketUrl(ticket: string): string {
  const url = new URL(ROUTES.liveView(ticket), window.location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href;
}

/** Screen readers get a name, and the Tab key a way in. */
function nameCanvas(target: HTMLElement, label: string): void {
  const canvas = target.querySelector('canvas');
  if (canvas === null) return;
  canvas.tabIndex = 0;
  canvas.setAttribute('role', 'application');
  canvas.setAttribute('aria-label', label);
}

function isNobodyFocused(room: HTMLElement): boolean {
  const focused = document.activeElement;
  return focused === null || focused === document.body || room.contains(focused);
}

export function openLiveView({ room, label, issueTicket, onState }: LiveViewOptions): LiveViewConnection {
  let closed = false;
  let rfb: RFB | null = null;
  let release: (() => void) | null = null;
  let delayMs = FIRST_DELAY_MS;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let sending = Promise.resolve();

  function end(): void {
    closed = true;
    clearTimeout(timer);
    release?.();
  }

  function retry(): void {
    if (closed) return;
    onState('reconnecting');
    timer = setTimeout(() => void connect(), delayMs);
    delayMs = Math.min(delayMs * 2, LONGEST_DELAY_MS);
  }

  function show(Viewer: typeof RFB, ticket: string): void {
    const target = document.createElement('div');
    room.replaceChildren(target);
    target.style.width = '100%';
    target.style.height = '100%';
    const socket = new WebSocket(toSocketUrl(ticket), ['binary']);
    let closeCode = 0;
    socket.addEventListener('close', (event) => (closeCode = event.code));
    const viewer = new Viewer(target, socket);
    viewer.background = 'transparent';
    nameCanvas(target, label);
    const stopFitting = fitRemote(viewer, room, target);
    rfb = viewer;
    release = () => {
      release = null;
      rfb = null;
      stopFitting();
      viewer.disconnect();
      target.remove();
    };
    viewer.addEventListener('connect', () => {
      delayMs = FIRST_DELAY_MS;
      onState('connected');
      if (isNobodyFocused(room)) viewer.focus({ preventScroll: true });
    });
    viewer.addEventListener('disconnect', () => {
      if (rfb !== viewer) return;
      rfb = null;
      release = null;
      stopFitting();
      target.remove();
      if (closeCode !== CLOSE_ENDED) return retry();
      closed = true;
      onState('ended');
    });
  }

  async function connect(): Promise<void> {
    try {
      const [Viewer, { ticket }] = await Promise.all([loadNoVnc(), issueTicket()]);
      if (!closed) show(Viewer, ticket);
    } catch (error) {
      if (closed) return;
      if (!(error instanceof AppError && error.code === 'session_ended')) return retry();
      closed = true;
      onState('ended');
    }
  }

  async function press(keysyms: readonly number[]): Promise<void> {
    for (const { keysym, code } of MODIFIERS) rfb?.sendKey(keysym, code, false);
    for (let start = 0; start < keysyms.length; start += KEYS_AT_ONCE) {
      if (start > 0) await pause(KEYS_PAUSE_MS);
      for (const keysym of keysyms.slice(start, start + KEYS_AT_ONCE)) rfb?.sendKey(keysym, null);
    }
  }

  onState('connecting');
  void connect();
  return {
    send: (keysyms) => (sending = sending.then(() => press(keysyms))),
    focus: () => rfb?.focus({ preventScroll: true }),
    close: end,
  };
}
