/** The last net under every log line: blanks known secrets and whatever looks like a credential. Works on finished text, knows no fields. */

const BLANK = '[secret]';

/** Each keeps its first group and blanks what follows. Values end where JSON, headers and URLs end them. */
const PATTERNS: readonly RegExp[] = [
  /\b((?:bearer|basic) )[\w.~+/=-]{6,}/gi,
  /\b((?:set-)?cookie["']?\s*[:=]\s*["']?)[^"'\r\n]+/gi,
  /\b(vestibule_operator=)[\w.~-]+/gi,
  /([?&#](?:ticket|token|code|state|access_token|refresh_token|id_token|key|secret)=)[^&#\s"'\\]+/gi,
  /(\/\/[^\s:/@"']+:)[^\s/@"']+(?=@)/g,
  /\b()(?:sk|pk|rk|npm|ghp|gho|ghs|ghu|github_pat|glpat|xox[bap])[-_][\w-]{16,}/g,
  /\b()ya29\.[\w-]{16,}/g,
  /\b()eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g,
];

export type Scrubber = {
  /** From now on blanks this very text wherever it appears. Texts under 8 characters are ignored: they would blank ordinary words. */
  hide(secret: string): void;
  scrub(line: string): string;
};

export function createScrubber(): Scrubber {
  const known = new Set<string>();
  return {
    hide(secret) {
      if (secret.length < 8) return;
      known.add(secret);
      known.add(JSON.stringify(secret).slice(1, -1));
      known.add(encodeURIComponent(secret));
    },
    scrub(line) {
      let clean = line;
      for (const secret of known) clean = clean.replaceAll(secret, BLANK);
      for (const pattern of PATTERNS) clean = clean.replace(pattern, `$1${BLANK}`);
      return clean;
    },
  };
}
