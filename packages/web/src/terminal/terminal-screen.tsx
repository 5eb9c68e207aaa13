/** What the program has printed so far and goes on printing, in a terminal that is loaded when it is first shown. */
import { useEffect, useRef, useState } from 'react';
import { client } from '../api-client.ts';
import { Spinner } from '../ui/icons.tsx';
import type { OpenTerminal } from './open-terminal.ts';

type TerminalScreenProps = {
  sessionId: string;
  label: string;
  isTaken?: boolean;
  onKeys?: (keys: string) => void;
  onLeave?: () => void;
  className?: string;
};

type Standing = 'loading' | 'quiet' | 'printing' | 'broken';

const WORDS: Record<Standing, string | null> = {
  loading: 'Opening the terminal…',
  quiet: 'The program has printed nothing yet.',
  printing: null,
  broken: 'The terminal could not be loaded. Reload the page.',
};

const nothing = (): void => undefined;

export function TerminalScreen(props: TerminalScreenProps) {
  const { sessionId, label, isTaken = false, className = '' } = props;
  const room = useRef<HTMLDivElement>(null);
  const opened = useRef<OpenTerminal>(null);
  const handlers = useRef<{ onKeys: (keys: string) => void; onLeave: () => void }>({
    onKeys: nothing,
    onLeave: nothing,
  });
  const [standing, setStanding] = useState<Standing>('loading');

  useEffect(() => {
    handlers.current = { onKeys: props.onKeys ?? nothing, onLeave: props.onLeave ?? nothing };
  });

  useEffect(() => {
    let isClosed = false;
    let unfollow = nothing;
    const show = async (): Promise<void> => {
      const { openTerminal } = await import('./open-terminal.ts');
      if (isClosed || room.current === null) return;
      const terminal = openTerminal({
        room: room.current,
        label,
        onKeys: (keys) => handlers.current.onKeys(keys),
        onLeave: () => handlers.current.onLeave(),
      });
      opened.current = terminal;
      setStanding('quiet');
      unfollow = client.followOutput(sessionId, {
        onChunk: toNewChunks((text) => {
          setStanding('printing');
          terminal.write(text);
        }),
        onEnd: nothing,
      });
    };
    show().catch(() => setStanding('broken'));
    return () => {
      isClosed = true;
      unfollow();
      opened.current?.close();
      opened.current = null;
    };
  }, [sessionId, label]);

  useEffect(() => {
    if (standing === 'quiet' || standing === 'printing') opened.current?.setTaken(isTaken);
  }, [isTaken, standing]);

  const words = WORDS[standing];
  return (
    <div data-testid="terminal" data-state={standing} className={`relative overflow-hidden bg-terminal ${className}`}>
      <div ref={room} className="absolute inset-2 overflow-hidden" />
      {words === null ? null : (
        <p
          role="status"
          className="pointer-events-none absolute inset-0 flex items-center justify-center gap-3 p-4 text-center text-sm text-muted"
        >
          {standing === 'loading' ? <Spinner /> : null} {words}
        </p>
      )}
    </div>
  );
}

/** A stream that is taken up again may repeat what was shown. */
function toNewChunks(show: (text: string) => void): (chunk: { n: number; text: string }) => void {
  let newest = 0;
  return ({ n, text }) => {
    if (n <= newest) return;
    newest = n;
    show(text);
  };
}
