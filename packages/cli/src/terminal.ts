/**
 * The person at the terminal: asked a line, a secret without echo, a yes. Nothing is read before the first question, so that a command
 * that asks nothing leaves its input alone. Without a terminal, lines come from a pipe as they are asked for.
 */
import { clearLine, createInterface, cursorTo, type Interface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Output } from './report.ts';

export type Terminal = {
  /** Whether a person can be asked. */
  readonly isInteractive: boolean;
  /** The next line; null at the end of the input or when aborted. */
  readLine(question: string, signal?: AbortSignal): Promise<string | null>;
  /** As `readLine`, without showing what is typed. */
  readSecret(question: string, signal?: AbortSignal): Promise<string | null>;
  /** Writes a line without tearing a question that is open. */
  print(output: Output, line: string): void;
  close(): void;
};

export type TerminalInput = Readable & { isTTY?: boolean; setRawMode?: (isRaw: boolean) => unknown };

/** @param onInterrupt called at Ctrl-C while a question is open: the terminal then sends no signal of its own */
export function openTerminal(
  input: TerminalInput,
  output: NodeJS.WritableStream & Output,
  onInterrupt: () => void,
): Terminal {
  const isInteractive = input.isTTY === true;
  const queue: string[] = [];
  let lines: Interface | null = null;
  let isAtEnd = false;
  let waiting: ((line: string | null) => void) | null = null;
  let isAsking = false;

  function open(): Interface {
    if (lines !== null) return lines;
    const opened = createInterface({ input, output, terminal: isInteractive, historySize: 0 });
    opened.on('line', (line) => {
      const asked = waiting;
      waiting = null;
      if (asked !== null) asked(line);
      else if (!isInteractive) queue.push(line);
    });
    opened.on('SIGINT', onInterrupt);
    opened.on('close', () => {
      if (lines !== opened) return;
      lines = null;
      isAtEnd = true;
      waiting?.(null);
    });
    lines = opened;
    return opened;
  }

  function letGo(): void {
    const opened = lines;
    lines = null;
    opened?.close();
  }

  function clearQuestion(): void {
    clearLine(output, 0);
    cursorTo(output, 0);
  }

  async function readLine(question: string, signal?: AbortSignal): Promise<string | null> {
    const isAborted = (): boolean => signal?.aborted === true;
    const queued = queue.shift();
    if (queued !== undefined) return queued;
    if (isAtEnd || isAborted()) return null;
    const opened = open();
    opened.setPrompt(question);
    opened.prompt();
    isAsking = isInteractive;
    try {
      return await new Promise((resolve) => {
        waiting = resolve;
        signal?.addEventListener('abort', () => resolve(null), { once: true });
      });
    } finally {
      waiting = null;
      isAsking = false;
      if (isInteractive && isAborted()) clearQuestion();
      // Ctrl-C is a signal again while nothing is asked. A pipe is kept: it may have given more lines than one.
      if (isInteractive) letGo();
    }
  }

  return {
    isInteractive,
    readLine,
    async readSecret(question, signal) {
      if (!isInteractive || input.setRawMode === undefined) return readLine(question, signal);
      letGo();
      output.write(question);
      const secret = await readHidden(input, onInterrupt, signal);
      output.write('\n');
      return secret;
    },
    print(target, line) {
      if (!isAsking || lines === null) return void target.write(line);
      clearQuestion();
      target.write(line);
      lines.prompt(true);
    },
    close() {
      letGo();
      input.pause();
    },
  };
}

/** Keys until Enter, in raw mode; null at Ctrl-D on an empty line or when aborted. */
function readHidden(input: TerminalInput, onInterrupt: () => void, signal?: AbortSignal): Promise<string | null> {
  let typed = '';
  input.setRawMode?.(true);
  return new Promise<string | null>((resolve) => {
    const end = (result: string | null): void => {
      input.off('data', take);
      input.setRawMode?.(false);
      input.pause();
      resolve(result);
    };
    const take = (chunk: Buffer | string): void => {
      for (const key of chunk.toString()) {
        if (key === '\r' || key === '\n') return end(typed);
        if (key === '\u0004' && typed === '') return end(null);
        if (key === '\u0003') onInterrupt();
        else if (key === '\u007F' || key === '\b') typed = typed.slice(0, -1);
        else if (key >= ' ') typed += key;
      }
    };
    signal?.addEventListener('abort', () => end(null), { once: true });
    input.on('data', take);
    input.resume();
  });
}

/** Whether the person said yes; anything but y or yes is no. */
export async function askYes(terminal: Terminal, question: string): Promise<boolean> {
  const answer = await terminal.readLine(`${question} [y/N] `);
  return answer !== null && /^y(?:es)?$/i.test(answer.trim());
}
