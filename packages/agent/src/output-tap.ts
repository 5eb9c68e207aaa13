/**
 * Passes on what the CLI writes, as a terminal takes it and without secrets, in numbered pieces; bounded in characters and in pieces, with
 * a last one that says so. One for all runs of a session's CLI.
 */
import { MAX_OUTPUT_CHARS, MAX_OUTPUT_CHUNK_CHARS, type AgentMessage } from '@vestibule/protocol/agent-messages';
import type { Secrets } from './redaction.ts';
import { createStreamRedactor, type StreamRedactor } from './stream-redactor.ts';

export type OutputTap = {
  /** For one stream of a run; give it the stream's text as it comes. */
  open: (stream: { isTerminal: boolean }) => (text: string) => void;
  /** Every stream opened so far has ended: all that is held goes out at once. */
  finish: () => void;
  close: () => void;
};

export type OutputTapOptions = {
  secrets: Secrets;
  post: (message: Extract<AgentMessage, { type: 'output' }>) => void;
  /** Silence after which a line that has not ended is shown. */
  quietMs?: number;
};

const CUT_SHORT = '\r\n[There was more output; it is not shown.]\r\n';
const MAX_PIECES = 2000;
/** Pieces are rarer the more there were: a progress bar may go on for a quarter of an hour. */
const PACES = [
  { upTo: 60, everyMs: 40 },
  { upTo: 300, everyMs: 250 },
  { upTo: Infinity, everyMs: 1000 },
];

export function createOutputTap({ secrets, post, quietMs = 300 }: OutputTapOptions): OutputTap {
  const streams = new Set<StreamRedactor>();
  let pieces = 0;
  let chars = 0;
  let isFull = false;
  let next: NodeJS.Timeout | undefined;
  let quiet: NodeJS.Timeout | undefined;

  const send = (text: string): void => {
    if (isFull || text === '') return;
    const room = MAX_OUTPUT_CHARS - CUT_SHORT.length - chars;
    isFull = text.length > room || pieces >= MAX_PIECES - 1;
    const shown = isFull ? `${text.slice(0, Math.max(0, room))}${CUT_SHORT}` : text;
    for (let rest = shown; rest !== '';) {
      const piece = cutPiece(rest);
      rest = rest.slice(piece.length);
      pieces += 1;
      chars += piece.length;
      post({ type: 'output', n: pieces, text: piece });
    }
  };
  const collect = (take: (stream: StreamRedactor) => string): void => send([...streams].map(take).join(''));
  const onPace = (): void => {
    next = undefined;
    collect((stream) => stream.take());
    clearTimeout(quiet);
    if ([...streams].some((stream) => stream.holds()))
      quiet = setTimeout(() => collect((stream) => stream.takeQuiet()), quietMs).unref();
  };
  const schedule = (): void => {
    clearTimeout(quiet);
    const { everyMs = 1000 } = PACES.find(({ upTo }) => pieces < upTo) ?? {};
    next ??= setTimeout(onPace, everyMs).unref();
  };
  const finish = (): void => {
    clearTimeout(next);
    clearTimeout(quiet);
    next = undefined;
    collect((stream) => stream.takeAll());
    streams.clear();
  };

  return {
    open({ isTerminal }) {
      const stream = createStreamRedactor(secrets);
      streams.add(stream);
      return (text) => {
        if (isFull) return;
        streams.add(stream);
        // A database takes no NUL.
        const clean = text.replaceAll('\0', '');
        stream.push(isTerminal ? clean : clean.replaceAll(/\r?\n/g, '\r\n'));
        schedule();
      };
    },
    finish,
    close: finish,
  };
}

/** Not in the middle of a character. */
function cutPiece(text: string): string {
  if (text.length <= MAX_OUTPUT_CHUNK_CHARS) return text;
  const last = text.charCodeAt(MAX_OUTPUT_CHUNK_CHARS - 1);
  return text.slice(0, MAX_OUTPUT_CHUNK_CHARS - (last >= 0xd800 && last <= 0xdbff ? 1 : 0));
}
