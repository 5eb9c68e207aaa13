/** The remote browser on the page. Keys go to it once it has the focus; Ctrl+V (Cmd+V) types what is on this computer's clipboard. */
import type { ClipboardEvent, KeyboardEvent } from 'react';
import { useId } from 'react';
import { Spinner } from '../ui/icons.tsx';
import type { LiveViewState } from './live-view-connection.ts';
import type { LiveView } from './use-live-view.ts';

const STATE_WORDS: Record<LiveViewState, string | null> = {
  connecting: 'Opening the browser…',
  connected: null,
  reconnecting: 'The picture was interrupted. Reconnecting…',
  ended: 'The browser was closed.',
};

type LiveViewScreenProps = {
  roomRef: LiveView['roomRef'];
  state: LiveViewState;
  onPaste: (text: string) => void;
  /** Moves the focus out of the remote browser. */
  onLeave: () => void;
};

function isPaste(event: KeyboardEvent): boolean {
  return (event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === 'v';
}

function isLeave(event: KeyboardEvent): boolean {
  return event.ctrlKey && event.altKey && event.key === 'Enter';
}

export function LiveViewScreen({ roomRef, state, onPaste, onLeave }: LiveViewScreenProps) {
  const hintId = useId();
  const words = STATE_WORDS[state];
  const onKeyDownCapture = (event: KeyboardEvent): void => {
    if (isLeave(event)) {
      event.preventDefault();
      event.stopPropagation();
      onLeave();
    } else if (isPaste(event)) {
      event.stopPropagation(); // noVNC would send the shortcut and keep the browser from raising its paste event.
    }
  };
  const paste = (event: ClipboardEvent): void => {
    event.preventDefault();
    onPaste(event.clipboardData.getData('text/plain'));
  };
  return (
    <section
      aria-label="Sign-in browser"
      aria-describedby={hintId}
      data-testid="live-view"
      data-state={state}
      className="relative size-full overflow-hidden bg-screen focus-within:ring-2 focus-within:ring-accent focus-within:ring-inset"
      onKeyDownCapture={onKeyDownCapture}
      onPaste={paste}
    >
      <p id={hintId} className="sr-only">
        What you type goes to the sign-in browser. Press Ctrl+Alt+Enter to leave it.
      </p>
      <div ref={roomRef} className="absolute inset-0 overflow-hidden" />
      {words === null ? null : (
        <p
          role="status"
          className="pointer-events-none absolute inset-0 flex items-center justify-center gap-3 bg-black/55 p-6 text-center text-white"
        >
          {state === 'ended' ? null : <Spinner />} {words}
        </p>
      )}
    </section>
  );
}
