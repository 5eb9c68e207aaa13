/**
 * One output stream of the CLI (stdout, stderr, or a PTY): as it is for the person's terminal, as clean text for the dialogue, and as whole
 * lines for the catchers. Nothing of it is kept or logged.
 */
import { StringDecoder } from 'node:string_decoder';
import { createAnsiStripper } from './ansi-stripper.ts';
import { createLineAssembler } from './line-assembler.ts';

/** A longer line is progress noise, and cannot hold a URL that a browser takes. */
const MAX_OUTPUT_LINE_BYTES = 64 * 1024;

export type CliOutputListener = {
  /** With its control sequences. */
  onRaw?: (text: string) => void;
  onText: (text: string) => void;
  onLine: (line: string) => void;
};

/** Feed it the stream's chunks; each stream needs one of its own, or their lines would mix. */
export function createCliOutput({ onRaw, onText, onLine }: CliOutputListener): (chunk: Buffer) => void {
  const decoder = new StringDecoder('utf8');
  const strip = createAnsiStripper();
  const lines = createLineAssembler({ maxBytes: MAX_OUTPUT_LINE_BYTES });
  return (chunk) => {
    const raw = decoder.write(chunk);
    onRaw?.(raw);
    const text = strip(raw);
    if (text === '') return;
    onText(text);
    // A carriage return redraws the line on a terminal, so what stood before it was a whole line too.
    for (const line of lines.push(Buffer.from(text.replaceAll('\r', '\n')))) if (line.trim() !== '') onLine(line);
  };
}
