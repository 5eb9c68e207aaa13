/**
 * Notices that the CLI asks something and waits: its output has been quiet for a while and ends in the middle of a line, or in a question of
 * a well-known form. Whatever was typed meanwhile has answered what was asked before. Answers nothing.
 */
export type PromptWatch = {
  /** Clean text, as it comes. */
  onText: (text: string) => void;
  /** This was written to the CLI's input: a whole line of it answers what was asked, less of it is somebody who types. */
  onInput: (input: string) => void;
  /** The person was shown how to sign in: what the CLI asks along with that is known. */
  onOffered: () => void;
  /** The question that is open now. */
  findOpen: () => string | null;
  close: () => void;
};

export type PromptWatchOptions = {
  quietMs: number;
  onPrompt: (text: string) => void;
  /** The output is quiet; the line that has not ended, or nothing. */
  onQuiet?: (openLine: string) => void;
};

const KEPT_CHARS = 4000;
const MAX_PROMPT_CHARS = 300;
/** Asked although the line has ended. */
const KNOWN_QUESTION =
  /\[[yn]\/[yn]\]|\([yn]\/[yn]\)|\(yes\/no\)|press (?:enter|return|any key)|hit enter|enter to (?:select|continue|confirm)|arrow keys|[↑↓]/i;
const ENDS_LIKE_A_QUESTION = /[?:>$#\])❯›]\s*$/;
/** Work in progress, not a question. */
const PROGRESS = /(?:\.{2,}|…|\d\s*%)\s*$/;

export function createPromptWatch({ quietMs, onPrompt, onQuiet }: PromptWatchOptions): PromptWatch {
  let text = '';
  let open: string | null = null;
  /** A terminal shows what is being typed: that is no question. */
  let isTyping = false;
  let isOffered = false;
  /** What comes before the next silence belongs to the offer. */
  let isKnown = false;
  let timer: NodeJS.Timeout | undefined;

  const look = (): void => {
    if (isTyping) return;
    const lines = text.split(/\r\n|\n|\r/);
    onQuiet?.(lines.at(-1) ?? '');
    const wasKnown = isKnown;
    isKnown = false;
    if (wasKnown) text = '';
    const prompt = findPrompt(text.split(/\r\n|\n|\r/), isOffered);
    if (prompt === null) return;
    open = prompt;
    onPrompt(prompt);
  };
  return {
    onText(more) {
      if (!isTyping) open = null;
      text = (text + more).slice(-KEPT_CHARS);
      clearTimeout(timer);
      timer = setTimeout(look, quietMs).unref();
    },
    onInput(input) {
      isTyping = !/[\r\n]/.test(input);
      if (isTyping) return;
      text = '';
      open = null;
    },
    onOffered() {
      isOffered = true;
      isKnown = true;
      open = null;
      clearTimeout(timer);
      timer = setTimeout(look, quietMs).unref();
    },
    findOpen: () => open,
    close: () => clearTimeout(timer),
  };
}

/** `isOffered`: the CLI is expected to wait, so that only what looks like a question is one. */
export function findPrompt(lines: readonly string[], isOffered: boolean): string | null {
  const last = lines.at(-1)?.trim() ?? '';
  const recent = lines
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .slice(-6);
  const isKnown = recent.some((line) => KNOWN_QUESTION.test(line));
  const isUnfinished = last !== '' && !PROGRESS.test(last) && (!isOffered || ENDS_LIKE_A_QUESTION.test(last));
  if (!isKnown && !isUnfinished) return null;
  const asked = isKnown || !/\p{L}/u.test(last) ? recent : recent.slice(-1);
  return asked.join(' ').slice(-MAX_PROMPT_CHARS);
}
