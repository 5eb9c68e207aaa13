import { describe, expect, it } from 'vitest';
import { checkLogin, type LoginCheck } from './complete-login.ts';
import { credentialFileSets, isCredentialFileSet } from './credential-files.ts';
import { toDefinition } from './testing-definition.ts';

const definition = toDefinition({
  more: `modes: [vm_browser, token]
ways:
  token:
    kinds:
      - id: key
        name: Key
        hint: From the console.
        input: files
        credential:
          files: [{ path: .tool/auth.json, format: json, required: [api_key] }]
      - id: env
        name: Environment
        hint: From the console.
        input: files
        credential:
          files: [{ path: .tool/b.env, format: ini, required: [KEY] }, { path: .tool/a.txt, format: text }]`,
});

function check(files: Record<string, string>): LoginCheck {
  return checkLogin(
    definition,
    Object.entries(files).map(([path, text]) => ({ path, contentBase64: Buffer.from(text).toString('base64') })),
  );
}

describe('the sets of files that may be a login', () => {
  it('are those of the sign-in and of each kind of token, each once', () => {
    expect(credentialFileSets(definition)).toEqual([['.tool/auth.json'], ['.tool/a.txt', '.tool/b.env']]);
  });

  it('are matched whole, in any order, and never with a file twice', () => {
    const sets = credentialFileSets(definition);
    expect(isCredentialFileSet(['.tool/b.env', '.tool/a.txt'], sets)).toBe(true);
    expect(isCredentialFileSet(['.tool/a.txt'], sets)).toBe(false);
    expect(isCredentialFileSet(['.tool/auth.json', '.tool/auth.json'], sets)).toBe(false);
    expect(isCredentialFileSet([], sets)).toBe(false);
  });
});

describe('given files', () => {
  it.each([
    ['of the sign-in', { '.tool/auth.json': '{"token":"t"}' }],
    ['of a token in the same file', { '.tool/auth.json': '{"api_key":"k"}' }],
    ['of a token in other files', { '.tool/a.txt': 'x', '.tool/b.env': 'KEY=k' }],
  ])('are a login when they are all %s', (_what, files) => {
    expect(check(files).ok).toBe(true);
  });

  it.each([
    ['a file of another name', { '.tool/other.json': '{}' }, 'exactly: .tool/auth.json. Missing: .tool/auth.json.'],
    ['one file too many', { '.tool/auth.json': '{"token":"t"}', x: 'y' }, 'Something else was given too'],
    ['half a file', { '.tool/auth.json': '{"token":' }, '.tool/auth.json is not a whole json document.'],
    ['bytes that are no text', { '.tool/auth.json': '\uFFFD\u0000' }, 'not a whole json document'],
    ['a blank field', { '.tool/auth.json': '{"token":" "}' }, '.tool/auth.json has no value for token. Or: '],
    ['an empty text', { '.tool/a.txt': ' \n', '.tool/b.env': 'KEY=k' }, '.tool/a.txt is empty.'],
    ['more than may be kept', { '.tool/auth.json': 'x'.repeat(1024 * 1024 + 1) }, 'larger than 1024 KiB'],
  ])('are none with %s, and the words say what is missing', (_what, files, words) => {
    const checked = check(files);
    expect(checked.ok ? '' : checked.words).toContain(words);
  });

  it('attack: a login in the wrong file, form or name shows in no word of the refusal', () => {
    const canary = 'canary-6f1c';
    const tries = [
      { '.tool/auth.json': `{"tokn":"${canary}"}` },
      { '.tool/auth.json': canary },
      { [canary]: canary },
      { '.tool/a.txt': '', '.tool/b.env': canary },
    ];
    expect(JSON.stringify(tries.map((files) => check(files)))).not.toContain(canary);
  });

  it('say whose they are and until when, as far as the definition knows', () => {
    const facts = toDefinition({
      more: `  account: { file: .tool/auth.json, field: user.mail }
  expiresAt: { file: .tool/auth.json, field: until, unit: seconds }`,
    });
    const content = JSON.stringify({ token: 't', user: { mail: 'ada@example.org' }, until: 1_900_000_000 });
    const files = [{ path: '.tool/auth.json', contentBase64: Buffer.from(content).toString('base64') }];
    expect(checkLogin(facts, files)).toMatchObject({
      ok: true,
      facts: { account: 'ada@example.org', expiresAt: '2030-03-17T17:46:40.000Z', organization: null },
    });
  });
});
