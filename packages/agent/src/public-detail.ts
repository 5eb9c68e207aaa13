/** A line of the CLI's output as it may stand in a failure's words: short, without secrets, without what follows the path of a link. */
import type { Secrets } from './redaction.ts';

const MAX_CHARS = 160;

export function toPublicDetail(line: string, secrets: Secrets): string {
  const short = secrets
    .redact(line)
    .replaceAll(/(\bhttps?:\/\/[^\s?#"'<>]+)[?#][^\s"'<>]*/g, '$1')
    .replaceAll(/\s+/g, ' ')
    .trim();
  return short.length > MAX_CHARS ? `${short.slice(0, MAX_CHARS - 1)}…` : short;
}
