/** The definitions that ship, and those that docs/providers.md shows: each can be used, and fits what its CLI was seen to print. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { ProviderDefinition } from '@vestibule/protocol/provider-definition';
import { formatProblems, parseProviderFile } from './provider-file.ts';

const ROOT = new URL('../../../../', import.meta.url);
const FILES = readdirSync(new URL('providers/', ROOT)).filter((name) => name.endsWith('.yaml'));
const PAGE = readFileSync(new URL('docs/providers.md', ROOT), 'utf8');

function parse(name: string, text: string): ProviderDefinition {
  const result = parseProviderFile(text);
  if (!result.ok) throw new Error(formatProblems(name, result.problems));
  return result.definition;
}
const load = (id: string): ProviderDefinition => parse(id, readFileSync(new URL(`providers/${id}.yaml`, ROOT), 'utf8'));

/** Every block of the page, without its indentation in a list. */
function listBlocks(): string[] {
  return [...PAGE.matchAll(/^( *)```yaml\n([^]*?)^ *```$/gm)].map(([, indent = '', body = '']) =>
    body.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  );
}
const isWhole = (block: string): boolean => /^id: /m.test(block);

describe('a definition', () => {
  it.each(FILES)('in providers/%s can be used, and is found by the name of its file', (name) => {
    expect(load(name.replace('.yaml', '')).id).toBe(name.replace('.yaml', ''));
  });

  it.each(listBlocks().filter(isWhole))('shown in docs/providers.md can be used: %#', (block) => {
    expect(parse('docs/providers.md', block).id).toMatch(/^\w+$/);
  });

  it('in docs/examples/rclone.yaml can be used', () => {
    const text = readFileSync(new URL('docs/examples/rclone.yaml', ROOT), 'utf8');
    expect(parse('docs/examples/rclone.yaml', text).id).toBe('rclone');
  });

  it('can be put together from the parts that docs/providers.md shows', () => {
    const blocks = listBlocks();
    const [first = ''] = blocks.filter(isWhole);
    const parts = blocks.filter((block) => !isWhole(block));
    expect(parts.length).toBeGreaterThan(15);
    for (const part of parts) parse(part, withPart(first, part));
  });

  it('is shown on the page with every key that there is', () => {
    const keys = Object.keys(load('codex'));
    for (const key of keys) expect(PAGE).toContain(`\`${key}`);
  });
});

/** The definition with its blocks replaced by those of the part, and what they call for. */
function withPart(whole: string, part: string): string {
  const toBlocks = (text: string): Map<string, string> =>
    new Map([...text.matchAll(/^(\w+):[^]*?(?=^\w|$(?![^]))/gm)].map(([block, key = '']) => [key, block]));
  const blocks = new Map([...toBlocks(whole), ...toBlocks(part)]);
  const ways = toBlocks(part).get('ways');
  if (ways !== undefined && !toBlocks(part).has('modes')) blocks.set('modes', 'modes: [vm_browser, token]\n');
  return [...blocks.values()].join('\n');
}

describe('what a CLI was seen to print', () => {
  it.each([
    [
      'claude_code',
      'https://claude.com/cai/oauth/authorize?code=true&client_id=9d1c250a&response_type=code&redirect_uri=http%3A%2F%2Flocalhost%3A38721%2Fcallback&state=s',
      true,
    ],
    ['claude_code', 'https://claude.ai/oauth/authorize?z-hIVwgsKRpWd1inQtxU98X3XRBhHnx7OdUTV3auOTK20', false],
    [
      'codex',
      'https://auth.openai.com/oauth/authorize?response_type=code&client_id=app_EMoamEEZ73f0CkXaXp7hrann&redirect_uri=http%3A%2F%2F127.0.0.1%3A1455%2Fauth%2Fcallback',
      true,
    ],
    ['codex', 'http://localhost:1455', false],
    [
      'gemini_cli',
      'https://accounts.google.com/o/oauth2/v2/auth?redirect_uri=http%3A%2F%2F127.0.0.1%3A46363%2Foauth2callback',
      true,
    ],
    ['npm', 'https://www.npmjs.com/login?next=/login/cli/00000000-0000-4000-8000-000000000000', true],
    ['npm', 'https://registry.npmjs.org/', false],
    ['npm', 'https://registry.npmjs.org/-/v1/login', false],
    ['gh', 'https://github.com/login/device', true],
    ['gh', 'https://github.com/login/device/code', false],
    ['wrangler', 'https://dash.cloudflare.com/oauth2/auth?response_type=code', true],
  ])('of %s: the link %s is the one to open: %s', (id, link, isIt) => {
    expect(new RegExp(load(id).login.url.pattern).test(link)).toBe(isIt);
  });

  it.each([
    [
      'codex',
      '   https://auth.openai.com/codex/device',
      '   ABCD-12345',
      'https://auth.openai.com/codex/device',
      'ABCD-12345',
    ],
    [
      'gh',
      'Open this URL to continue in your web browser: https://github.com/login/device',
      '! First copy your one-time code: 1A2B-3C4D',
      'https://github.com/login/device',
      '1A2B-3C4D',
    ],
  ])('of %s: code and link for another device', (id, urlLine, codeLine, url, code) => {
    const rules = load(id).ways.device_code;
    expect(new RegExp(rules?.urlPattern ?? '').exec(urlLine)?.[1]).toBe(url);
    expect(new RegExp(rules?.codePattern ?? '').exec(codeLine)?.[1]).toBe(code);
    expect(new RegExp(rules?.codePattern ?? '').exec(urlLine)).toBeNull();
  });

  it.each([
    ['claude_code', '2.1.330 (Claude Code)'],
    ['codex', 'codex-cli 0.169.0'],
    ['gemini_cli', '0.61.0'],
    ['gh', 'gh version 2.23.0 (2023-02-27 Debian 2.23.0+dfsg1-1)'],
    ['npm', '11.19.1'],
    ['wrangler', '4.86.0'],
  ])('of %s: its version, %s, is the pinned one', (id, line) => {
    const { version, install } = load(id);
    expect(new RegExp(version?.pattern ?? '', 'm').exec(line)?.[1]).toBe(install.version);
  });

  it.each([
    ['claude_code', 'vm_browser', "Couldn't log in: No authorization code received", 'sign_in_denied'],
    ['claude_code', 'own_browser', "Couldn't log in: Invalid state parameter", 'callback_refused'],
    ['codex', 'vm_browser', 'Error logging in: Sign-in failed: The user said no', 'sign_in_denied'],
    [
      'codex',
      'device_code',
      'Error logging in: device code request failed with status 403 Forbidden',
      'device_code_refused',
    ],
    ['codex', 'device_code', 'device code login is not enabled for this Codex server. Use the', 'device_code_refused'],
    ['codex', 'device_code', 'device auth timed out after 15 minutes', 'code_expired'],
    ['codex', 'token', 'Error logging in with access token: failed to decode agent identity JWT', 'token_refused'],
    ['codex', 'vm_browser', 'Error logging in: OAuth token response is invalid', 'provider_http'],
    ['gemini_cli', 'vm_browser', 'Google OAuth error: access_denied. No additional details', 'sign_in_denied'],
    ['gemini_cli', 'own_browser', 'OAuth state mismatch. Possible CSRF attack', 'callback_refused'],
    ['gh', 'device_code', 'failed to authenticate via web browser: access_denied', 'sign_in_denied'],
    ['gh', 'device_code', 'failed to authenticate via web browser: expired_token', 'code_expired'],
    ['gh', 'token', 'error validating token: HTTP 401: Bad credentials (https://api.github.com/)', 'token_refused'],
    ['wrangler', 'vm_browser', 'Error: Consent denied. You must grant consent to Wrangler', 'sign_in_denied'],
  ] as const)('of %s (%s): %s means %s', (id, mode, line, code) => {
    const found = load(id).failures.find(
      ({ pattern, modes }) => (modes === undefined || modes.includes(mode)) && new RegExp(pattern, 'm').test(line),
    );
    expect(found?.code).toBe(code);
  });

  it('of Claude Code: the second link, which ends on a page with a code', () => {
    const pattern = load('claude_code').ways.own_browser?.codeUrlPattern ?? '';
    expect(new RegExp(pattern).test('https://claude.ai/oauth/authorize?z-hIVwgsKRpWd1inQtxU98X3XRBhHnx7')).toBe(true);
  });
});

it.each(['claude_code', 'codex', 'gemini_cli'])(
  '%s is offered only after a notice that says who can read what',
  (id) => {
    const { notice, vendor } = load(id);
    expect(notice?.text).toContain(vendor);
    expect(notice?.text).toMatch(/passes through this server/);
    expect(notice?.text).toMatch(/can therefore read both/);
  },
);
