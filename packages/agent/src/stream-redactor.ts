/**
 * Takes the secrets out of a text that arrives in pieces: a secret that is cut in two is still found, because a line is given only when its
 * end was seen, or, when nothing follows, without a last word that may be the beginning of one. Knows no time; whoever uses it says when
 * nothing follows.
 */
import type { Secrets } from './redaction.ts';

export type StreamRedactor = {
  push: (text: string) => void;
  /** What can be shown by now. */
  take: () => string;
  /** What can be shown when nothing more has come for a while: a question that waits for its answer. */
  takeQuiet: () => string;
  /** All the rest; the stream has ended. */
  takeAll: () => string;
  /** Something is held that `take` would not give. */
  holds: () => boolean;
};

/** A longer line is no text for a person. */
const MAX_LINE_CHARS = 32 * 1024;
const LEFT_OUT = '[a long line is left out]';
/** The end of a question: no beginning of a secret. */
const HARMLESS = /^[^A-Za-z0-9=]{0,8}(?:(?:[A-Za-z]{1,12}|[a-z]\/[a-z])[?:>)\].!…]{1,4})?$/i;
// eslint-disable-next-line no-control-regex
const CONTROL_SEQUENCES = /\u001b\[[0-?]*[ -/]*[@-~]/g;

export function createStreamRedactor(secrets: Secrets): StreamRedactor {
  /** From the beginning of the present line; its first `given` characters were given already. */
  let pending = '';
  let given = 0;
  let skipping = false;

  const give = (to: number): string => {
    if (to <= given) return '';
    const text = secrets.redact(pending, given, to);
    given = to;
    return text;
  };
  const take = (): string => {
    const end = findLastEnd(pending);
    const text = give(end);
    pending = pending.slice(end);
    given = Math.max(0, given - end);
    if (pending.length <= MAX_LINE_CHARS) return text;
    pending = '';
    given = 0;
    skipping = true;
    return text + LEFT_OUT;
  };
  return {
    push(text) {
      if (!skipping) pending += text;
      else if (/[\r\n]/.test(text)) {
        skipping = false;
        pending += text.slice(text.search(/[\r\n]/));
      }
    },
    take,
    takeQuiet() {
      const text = take();
      const word = /\S*$/.exec(pending)?.[0] ?? '';
      const isHarmless = HARMLESS.test(word.replaceAll(CONTROL_SEQUENCES, ''));
      return text + give(isHarmless ? pending.length : pending.length - word.length);
    },
    takeAll() {
      const text = take() + give(pending.length);
      pending = '';
      given = 0;
      return text;
    },
    holds: () => pending.length > given,
  };
}

/** After the last line's end. A carriage return redraws the line, so it ends one too. */
function findLastEnd(text: string): number {
  return Math.max(text.lastIndexOf('\n'), text.lastIndexOf('\r')) + 1;
}
