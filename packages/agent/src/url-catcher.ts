/**
 * Finds the one URL to open: the one the CLI hands to a browser, else one it prints on a line of its output. The printed URL may be
 * another than the opened one (facts of claude-code), so a printed one waits a grace for the other.
 */
import type { LoginPlan } from '@vestibule/protocol/agent-messages';

export type UrlSource = LoginPlan['login']['url']['from'][number];
export type CaughtUrl = { url: string; from: UrlSource };

export type UrlCatcher = {
  /** What a program handed to the browser shim. */
  offerFromShim: (candidate: string) => void;
  /** A whole line of the CLI's output, without control sequences. */
  offerFromOutput: (line: string) => void;
  /** The time for the URL begins anew: a person is typing. */
  giveTime: () => void;
  close: () => void;
};

export type UrlCatcherOptions = {
  rules: LoginPlan['login']['url'];
  /** How long a printed URL waits for the shim's. */
  graceMs: number;
  /** Called at most once. */
  onUrl: (caught: CaughtUrl) => void;
  /** Called at most once, when no URL came within the rules' time. */
  onMissing: () => void;
};

const URL_IN_TEXT = /https?:\/\/[^\s"'<>`\\^{|}]+/g;
const TRAILING_PUNCTUATION = /[.,;:!?)\]]+$/;

export function createUrlCatcher({ rules, graceMs, onUrl, onMissing }: UrlCatcherOptions): UrlCatcher {
  const pattern = new RegExp(rules.pattern);
  let printed: NodeJS.Timeout | null = null;
  let done = false;
  let missing: NodeJS.Timeout | undefined;

  function giveTime(): void {
    clearTimeout(missing);
    if (done) return;
    missing = setTimeout(() => {
      if (!printed) finish(onMissing);
    }, rules.timeoutSeconds * 1000);
  }

  function finish(act: () => void): void {
    if (done) return;
    close();
    act();
  }
  function close(): void {
    done = true;
    clearTimeout(missing);
    if (printed) clearTimeout(printed);
  }
  giveTime();
  const accept = (candidate: string): boolean => isWebUrl(candidate) && pattern.test(candidate);

  return {
    offerFromShim(candidate) {
      if (!rules.from.includes('browser_shim') || !accept(candidate)) return;
      finish(() => onUrl({ url: candidate, from: 'browser_shim' }));
    },
    offerFromOutput(line) {
      if (done || printed || !rules.from.includes('output')) return;
      const url = findUrls(line).find(accept);
      if (url === undefined) return;
      const wait = rules.from.includes('browser_shim') ? graceMs : 0;
      printed = setTimeout(() => finish(() => onUrl({ url, from: 'output' })), wait);
    },
    giveTime,
    close,
  };
}

/** The URLs in a line, without punctuation that belongs to the sentence around them. */
export function findUrls(line: string): string[] {
  return [...line.matchAll(URL_IN_TEXT)].map(([url]) => url.replace(TRAILING_PUNCTUATION, ''));
}

/** Only the web: never a file, a script, or something a browser would read as a command-line switch. */
export function isWebUrl(candidate: string): boolean {
  return /^https?:\/\/\S+$/.test(candidate) && URL.canParse(candidate);
}

/** Scheme, host and path: the query and fragment may hold codes and state, and never leave the VM. */
export function toOrigin(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`.slice(0, 300);
}
