import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { CliError } from './cli-error.ts';
import { loadConfig } from './config.ts';
import { findServerAccess } from './server-access.ts';

const TOKEN = 'operator-token-of-a-test-0123456789-abcdef';
const OTHER = 'another-operator-token-0123456789-abcdefgh';
const folders: string[] = [];
afterEach(() => folders.splice(0).forEach((folder) => rmSync(folder, { recursive: true })));

function makeDataDir(token: string | null = TOKEN): string {
  const folder = mkdtempSync(join(tmpdir(), 'vestibule-cli-'));
  folders.push(folder);
  if (token !== null) writeFileSync(join(folder, 'operator-token'), `${token}\n`);
  return folder;
}

function find(env: Record<string, string>, flags: { server?: string; tokenFile?: string } = {}): string[] {
  const { server, token } = findServerAccess(loadConfig(env), flags);
  return [server, token.reveal()];
}

function toProblem(env: Record<string, string>, flags: { server?: string; tokenFile?: string } = {}): CliError {
  try {
    find(env, flags);
  } catch (error) {
    if (error instanceof CliError) return error;
  }
  throw new Error('expected a CliError');
}

test('a flag wins over the environment, and the environment over the data folder', () => {
  const VESTIBULE_DATA_DIR = makeDataDir();
  expect(find({ VESTIBULE_DATA_DIR })).toEqual(['http://127.0.0.1:7080', TOKEN]);
  expect(find({ VESTIBULE_DATA_DIR, VESTIBULE_TOKEN: OTHER, VESTIBULE_SERVER: 'https://a.test/' })).toEqual([
    'https://a.test',
    OTHER,
  ]);
  const tokenFile = join(makeDataDir(OTHER), 'operator-token');
  expect(find({ VESTIBULE_DATA_DIR, VESTIBULE_TOKEN: TOKEN }, { tokenFile, server: 'http://localhost:1' })).toEqual([
    'http://localhost:1',
    OTHER,
  ]);
});

test("attack: this machine's own token goes to no server elsewhere, and no token goes anywhere unencrypted", () => {
  const VESTIBULE_DATA_DIR = makeDataDir();
  expect(toProblem({ VESTIBULE_DATA_DIR }, { server: 'https://evil.example.test' }).exit).toBe('token_refused');
  const plain = toProblem({ VESTIBULE_DATA_DIR, VESTIBULE_TOKEN: OTHER }, { server: 'http://vestibule.example.test' });
  expect(plain.exit).toBe('usage');
  expect(plain.message).toMatch(/unencrypted/);
});

test('a token that is missing, unreadable or none at all is told by where it was looked for, and never shown', () => {
  const VESTIBULE_DATA_DIR = makeDataDir(null);
  const problems = [
    toProblem({ VESTIBULE_DATA_DIR }),
    toProblem({ VESTIBULE_DATA_DIR }, { tokenFile: join(VESTIBULE_DATA_DIR, 'none') }),
    toProblem({ VESTIBULE_DATA_DIR, VESTIBULE_TOKEN: 'not a token at all' }),
  ];
  expect(problems.map(({ exit }) => exit)).toEqual(['token_refused', 'token_refused', 'token_refused']);
  expect(problems[0]?.message).toContain(join(VESTIBULE_DATA_DIR, 'operator-token'));
  expect(problems[2]?.message).not.toContain('not a token at all');
});

test('what is no address of a server is told', () => {
  expect(toProblem({}, { server: 'vestibule.example.test' }).exit).toBe('usage');
  expect(toProblem({}, { server: 'ftp://vestibule.example.test' }).exit).toBe('usage');
});

test('programs that are started get none of the settings of another server', () => {
  const { programEnvironment } = loadConfig({
    PATH: '/bin',
    VESTIBULE_TOKEN: TOKEN,
    VESTIBULE_DATA_DIR: '/x',
    VESTIBULE_CA_FILE: '/ca.pem',
    DATABASE_URL: 'postgresql://x',
  });
  expect(programEnvironment).toEqual({ PATH: '/bin', VESTIBULE_CA_FILE: '/ca.pem' });
});
