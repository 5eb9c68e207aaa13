/** What a VM reads its configuration from is an archive that other programs understand. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { runCommand } from '../system/run-command.ts';
import { toTar } from './tar.ts';

const dir = mkdtempSync(join(tmpdir(), 'vestibule-tar-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

it("writes an archive that the system's tar unpacks, in whole blocks as a drive must be", async () => {
  const files = { 'etc/hosts': '127.0.0.1 localhost\n', 'etc/empty': '', 'agent/agent.mjs': 'é'.repeat(700) };
  const path = join(dir, 'config.tar');
  writeFileSync(path, toTar(files));
  expect(statSync(path).size % 512).toBe(0);
  await runCommand(['tar', '-xf', path, '-C', dir]);
  for (const [name, text] of Object.entries(files)) expect(readFileSync(join(dir, name), 'utf8')).toBe(text);
  expect(await runCommand(['tar', '-tvf', path])).toMatch(/^-rw-r--r-- 0\/0 +20 1970-01-01 00:00 etc\/hosts$/m);
});

it('refuses a name that the format has no room for', () => {
  expect(() => toTar({ ['x'.repeat(101)]: '' })).toThrow(/too long a name/);
});
