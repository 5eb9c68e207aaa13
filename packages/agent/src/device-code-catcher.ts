/**
 * Finds the code and the link of a sign-in by device code (RFC 8628) in what the CLI writes, by the definition's patterns. A CLI that asks
 * for a new code is followed.
 */
import type { LoginPlan } from '@vestibule/protocol/agent-messages';
import { findUrls, isWebUrl } from './url-catcher.ts';

export type DeviceCode = { code: string; url: string };

export type DeviceCodeCatcher = {
  /** A line of the CLI's output without control sequences, or a link that it handed to a browser. */
  offerLine: (line: string) => void;
  /** The time for the code begins anew: a person is typing. */
  giveTime: () => void;
  close: () => void;
};

export type DeviceCodeCatcherOptions = {
  rules: Pick<NonNullable<LoginPlan['ways']['device_code']>, 'codePattern' | 'urlPattern'>;
  timeoutSeconds: number;
  /** Called again for each other code. */
  onCode: (found: DeviceCode) => void;
  /** Called at most once, when there was none in time. */
  onMissing: () => void;
};

const MAX_CODE_CHARS = 60;

export function createDeviceCodeCatcher(options: DeviceCodeCatcherOptions): DeviceCodeCatcher {
  const { rules, timeoutSeconds, onCode, onMissing } = options;
  const codePattern = new RegExp(rules.codePattern);
  const urlPattern = new RegExp(rules.urlPattern);
  let code: string | null = null;
  let url: string | null = null;
  let told = '';
  let isClosed = false;
  let missing: NodeJS.Timeout | undefined;

  const giveTime = (): void => {
    clearTimeout(missing);
    if (told === '' && !isClosed) missing = setTimeout(onMissing, timeoutSeconds * 1000);
  };
  const tell = (): void => {
    const pair = `${code} ${url}`;
    if (isClosed || code === null || url === null || pair === told) return;
    told = pair;
    clearTimeout(missing);
    onCode({ code, url });
  };
  giveTime();
  return {
    offerLine(line) {
      code = findMatch(codePattern, line)?.slice(0, MAX_CODE_CHARS) ?? code;
      url = findLink(urlPattern, line) ?? url;
      tell();
    },
    giveTime,
    close() {
      isClosed = true;
      clearTimeout(missing);
    },
  };
}

function findMatch(pattern: RegExp, line: string): string | null {
  const match = pattern.exec(line);
  const found = (match?.[1] ?? match?.[0])?.trim();
  return found === undefined || found === '' ? null : found;
}

function findLink(pattern: RegExp, line: string): string | null {
  const [url] = findUrls(findMatch(pattern, line) ?? '');
  return url !== undefined && isWebUrl(url) ? url : null;
}
