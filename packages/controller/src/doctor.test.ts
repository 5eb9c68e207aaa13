import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { findProductFolder } from './product-folder.ts';

const { root } = findProductFolder();

let scratch: string;
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'vestibule-test-'));
});
afterEach(() => rmSync(scratch, { recursive: true }));

function runDoctor(args: readonly string[], settings: Record<string, string>) {
  const argv = [join(root, 'node_modules', 'tsx', 'dist', 'cli.mjs'), join(import.meta.dirname, 'doctor.ts'), ...args];
  const { PATH = '', HOME = '' } = process.env;
  const env = { PATH, HOME, TMPDIR: scratch, VESTIBULE_DATA_DIR: join(scratch, 'data'), ...settings };
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, { env, encoding: 'utf8' });
  return { status, stdout, stderr };
}

it('ends with 1 when something is missing, and says what and how it comes, as one object for programs', () => {
  const { status, stdout } = runDoctor(['process', '--json'], { VESTIBULE_BROWSER: '/nowhere/chromium' });
  expect(status).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({
    type: 'doctor',
    runtime: 'process',
    isConfigured: true,
    requirements: expect.arrayContaining([expect.objectContaining({ id: 'chromium', severity: 'missing' })]) as unknown,
  });
});

it('examines the runtime that is named, whatever the settings name, and leaves nothing', () => {
  const { status, stdout } = runDoctor(['fake'], {
    VESTIBULE_RUNTIME: 'qemu',
    VESTIBULE_QEMU_ACCELERATOR: 'tcg',
    VESTIBULE_FAKE_SCRIPT: 'auto',
  });
  expect(stdout).toContain('Runtime fake, which the settings do not name now.');
  expect(status).toBe(0);
  expect(readdirSync(scratch).filter((name) => !name.startsWith('tsx-'))).toEqual([]);
});

it('ends with 2 on settings that cannot be used', () => {
  const { status, stderr } = runDoctor([], { VESTIBULE_PORT: 'soon' });
  expect(stderr).toContain('VESTIBULE_PORT must be a whole number');
  expect(status).toBe(2);
});
