/** A transcript without anything that was secret or that differs from run to run, though every secret in it is made up. */
import type { JournalEntry } from '../support/world.ts';

/** What a link carries: each is replaced by as many letters, so that lines stay as long as they were. */
const LINK_VALUES = /\b(state|code_challenge|code|id_token|code_verifier)=([^&\s"']+)/g;

export function toPublishable(output: string, journal: readonly JournalEntry[], home: string): string {
  let text = output.replaceAll(home, '/home/person').replaceAll('\r\n', '\n');
  for (const { accessToken, refreshToken, code } of journal)
    for (const secret of [accessToken, refreshToken, code])
      if (secret !== undefined && secret !== '') text = text.replaceAll(secret, 'x'.repeat(secret.length));
  return text
    .replace(LINK_VALUES, (_, name: string, value: string) => `${name}=${'x'.repeat(value.length)}`)
    .replace(/authorize\?([\w-]{2})[\w-]{43}(?=\s|$)/g, (_, scopes: string) => `authorize?${scopes}${'x'.repeat(43)}`)
    .replace(/eyJ[\w-]+\.[\w-]+\.[\w-]+/g, (jwt) => 'x'.repeat(jwt.length))
    .replace(/\/login\/cli\/[0-9a-f]{32}/g, `/login/cli/${'0'.repeat(32)}`);
}
