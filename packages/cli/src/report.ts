/**
 * What the command tells: in text mode sentences, in JSON mode one object a line on the standard output. Knows no server. Text of others
 * is made harmless here, so that no caller forgets it.
 */
import { toPlainText } from './plain-text.ts';

export type Told = { type: string } & Readonly<Record<string, unknown>>;

export type Report = {
  readonly isJson: boolean;
  /** A fact for programs, and its words for a person; null: nothing for a person. */
  tell(fact: Told, words: string | null): void;
  /** Only for a person. */
  say(words: string): void;
  /** A problem, on the error output in text mode. */
  warn(words: string): void;
};

export type Output = { write(text: string): unknown };

/** `print` writes one line of text, for instance around a question that is open on the terminal. */
export function createReport(
  isJson: boolean,
  { stdout, stderr }: { stdout: Output; stderr: Output },
  print: (output: Output, line: string) => void = (output, line) => void output.write(line),
): Report {
  const toLine = (words: string): string => `${toPlainText(words)}\n`;
  return {
    isJson,
    tell(fact, words) {
      if (isJson) stdout.write(`${JSON.stringify(fact)}\n`);
      else if (words !== null) print(stdout, toLine(words));
    },
    say(words) {
      if (!isJson) print(stdout, toLine(words));
    },
    warn(words) {
      if (isJson) stdout.write(`${JSON.stringify({ type: 'warning', words })}\n`);
      else print(stderr, toLine(words));
    },
  };
}
