import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { findRuntime, findSetting, parseStartFlags, toHelp, withEnvFile } from './flags.mjs';
import { findNodeProblem } from './node-version.mjs';
import { ROOT } from './paths.mjs';

it('keeps its own flags and passes all others on', () => {
  expect(parseStartFlags(['--demo', '--yes', '--port', '7081', '--no-install'])).toEqual({
    help: false,
    yes: true,
    install: false,
    controllerArgs: ['--demo', '--port', '7081'],
  });
});

it('knows the runtime from the flag, then the environment, then the default', () => {
  expect(findRuntime(['--runtime', 'fake'], { VESTIBULE_RUNTIME: 'process' })).toBe('fake');
  expect(findRuntime(['--runtime=fake'], {})).toBe('fake');
  expect(findRuntime([], { VESTIBULE_RUNTIME: 'fake' })).toBe('fake');
  expect(findRuntime(['--demo'], {})).toBe('process');
});

it('reads a setting as the controller will: the last flag, then the environment', () => {
  const environment = { VESTIBULE_DATA_DIR: '/a' };
  expect(findSetting('VESTIBULE_DATA_DIR', ['--data-dir', '/b', '--data-dir=/c'], environment)).toBe('/c');
  expect(findSetting('VESTIBULE_DATA_DIR', ['--data-directory', '/b'], environment)).toBe('/a');
  expect(findSetting('VESTIBULE_DATA_DIR', [], {})).toBeUndefined();
});

it('reads .env below what is already set', () => {
  const dir = mkdtempSync(join(tmpdir(), 'vestibule-env-'));
  try {
    expect(withEnvFile(dir, { A: '1' })).toEqual({ A: '1' });
    writeFileSync(join(dir, '.env'), 'A=2\nB=3\n');
    expect(withEnvFile(dir, { A: '1' })).toEqual({ A: '1', B: '3' });
  } finally {
    rmSync(dir, { recursive: true });
  }
});

it('documents its flags and every setting', () => {
  const help = toHelp(ROOT);
  for (const word of ['--demo', '--yes', '--no-install', 'VESTIBULE_PORT', 'DATABASE_URL'])
    expect(help).toContain(word);
});

it.each([
  ['20.19.5', false],
  ['18.20.0', false],
  ['20.20.0', true],
  ['22.3.0', true],
])('Node %s is accepted: %s', (version, accepted) => {
  expect(findNodeProblem(version) === null).toBe(accepted);
});
