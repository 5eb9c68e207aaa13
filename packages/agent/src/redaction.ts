/**
 * Knows what in a text is a secret: tokens by their form, values of parameters that carry one, and values that were told. Control sequences
 * of a terminal do not hide one. A text that may be cut anywhere belongs to `stream-redactor.ts`.
 */
export type Secrets = {
  /** From now on this value is a secret wherever it stands. Values too short to tell from ordinary words are not taken. */
  add: (value: string, minChars?: number) => void;
  /** `text` from `from` to `to`, with each secret in it replaced; what surrounds that part says what is a secret. */
  redact: (text: string, from?: number, to?: number) => string;
};

type Range = { start: number; end: number };

export const REDACTED = '[redacted]';
const MIN_CHARS = 8;

// eslint-disable-next-line no-control-regex
const CONTROL_SEQUENCE = /\u001b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\u0007\u001b]*(?:\u0007|\u001b\\)|[ -/]*[0-~])/g;

const NAMES = [
  ...['code', 'state', 'nonce', 'token', 'ticket', 'user_code', 'device_code', 'code_challenge', 'code_verifier'],
  ...[
    'id_token',
    'access_token',
    'refresh_token',
    'oauth_token',
    '_authToken',
    'client_secret',
    'api_key',
    'apikey',
    'key',
  ],
].join('|');
const WORDS =
  '(?:access|refresh|id|oauth|auth|api|bearer|session)[_-]?(?:token|key)|_authToken|client[_-]?secret|password';

/** The last group, or else all that matches, is the secret; a group stands at the end of its match. */
const FORMS = [
  /\beyJ[\w-]{8,}(?:\.[\w-]*)*/g,
  /\bsk-[\w-]{8,}/g,
  /\b(?:gh[a-z]|github_pat|glpat|npm|pypi)[_-]\w{8,}/g,
  /\b(?:ya29\.|1\/\/)[\w.-]{8,}/g,
  /\b(?:AIza|AKIA|xox[a-z]-)[\w-]{10,}/g,
  /\bBearer\s+([\w.~+/=-]{8,})/gi,
  // In a link or a form, also one within another (`%3D`).
  new RegExp(`(?:(?<![A-Za-z0-9])|(?<=%[0-9A-F]{2}))(?:${NAMES})(?:=|%3D)([^\\s&"'<>#]{3,})`, 'gi'),
  new RegExp(`(?:${WORDS})["']?\\s*[:=]\\s*["']?([^\\s"',;&<>]{6,})`, 'gi'),
  // In a sentence: a value that is no word.
  /\b(?:token|key|secret|password)["']?\s*[:=]\s*["']?(?=[^\s"',;&<>]*\d)([^\s"',;&<>]{8,})/gi,
];
/** So long and mixed that it is no word of any language. */
const LONG_RUN = /[\w-]{40,}/g;
/** What a page shows after its `#`: a code with its state. */
const CODE_WITH_STATE = /\b[\w-]{8,}#[\w-]{8,}/g;

export function createSecrets(): Secrets {
  const told = new Set<string>();

  const findTold = (text: string): Range[] => {
    const ranges: Range[] = [];
    for (const value of told)
      for (let at = text.indexOf(value); at !== -1; at = text.indexOf(value, at + value.length))
        ranges.push({ start: at, end: at + value.length });
    return ranges;
  };
  return {
    add(value, minChars = MIN_CHARS) {
      const trimmed = value.trim();
      if (trimmed.length < minChars) return;
      told.add(trimmed);
      told.add(encodeURIComponent(trimmed));
    },
    redact(text, from = 0, to = text.length) {
      const { plain, toRaw } = withoutControls(text);
      const ranges = merge([...findByForm(plain), ...findTold(plain)]).map(({ start, end }) => ({
        start: toRaw(start),
        end: toRaw(end - 1) + 1,
      }));
      return render(text, ranges, from, to);
    },
  };
}

function findByForm(text: string): Range[] {
  const ranges: Range[] = [];
  for (const form of FORMS)
    for (const match of text.matchAll(form)) {
      const end = match.index + match[0].length;
      ranges.push({ start: end - (match[1] ?? match[0]).length, end });
    }
  for (const match of [...text.matchAll(LONG_RUN), ...text.matchAll(CODE_WITH_STATE)])
    if (/\d/.test(match[0]) && /[a-z]/i.test(match[0]))
      ranges.push({ start: match.index, end: match.index + match[0].length });
  return ranges;
}

/** The text without control sequences, and where each of its characters stood. */
function withoutControls(text: string): { plain: string; toRaw: (index: number) => number } {
  if (!text.includes('\u001b')) return { plain: text, toRaw: (index) => index };
  const positions: number[] = [];
  let plain = '';
  let last = 0;
  const take = (end: number): void => {
    plain += text.slice(last, end);
    for (let index = last; index < end; index += 1) positions.push(index);
  };
  for (const match of text.matchAll(CONTROL_SEQUENCE)) {
    take(match.index);
    last = match.index + match[0].length;
  }
  take(text.length);
  return { plain, toRaw: (index) => positions[index] ?? text.length };
}

function merge(ranges: Range[]): Range[] {
  const merged: Range[] = [];
  for (const range of ranges.sort((a, b) => a.start - b.start)) {
    const last = merged.at(-1);
    if (last && range.start <= last.end) last.end = Math.max(last.end, range.end);
    else merged.push({ ...range });
  }
  return merged;
}

function render(text: string, ranges: readonly Range[], from: number, to: number): string {
  let at = from;
  let rendered = '';
  for (const { start, end } of ranges) {
    if (end <= at || start >= to) continue;
    rendered += text.slice(at, Math.max(at, start)) + REDACTED;
    at = end;
  }
  return at < to ? rendered + text.slice(at, to) : rendered;
}
