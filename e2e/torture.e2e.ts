/** A short torture run: the script itself must find nothing, by its own journal, and leave nothing. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@playwright/test';
import { skipUnlessRoot } from './support/requirements.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PLACE_OF_RUNS = '/var/tmp';

const listRuns = (): string[] => readdirSync(PLACE_OF_RUNS).filter((name) => name.startsWith('vestibule-torture-'));

test('under 15 kills no sign-in is judged wrongly, no login is lost and nothing is left behind', async () => {
  skipUnlessRoot('filling disks and giving VMs networks of their own');
  test.setTimeout(300_000);
  const before = listRuns();
  const options = ['--kills', '15', '--minutes', '0.4', '--seed', '7080'];
  const child = spawn(process.execPath, ['--import', 'tsx', 'torture/main.ts', ...options], { cwd: ROOT });
  const closed = once(child, 'close') as Promise<[number | null]>;
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), closed]);
  expect(stdout, stderr).toContain('"kills":15');
  expect(JSON.parse(stdout), stderr).toMatchObject({
    false_failures: 0,
    false_successes: 0,
    lost_credentials: 0,
    orphan_vms: 0,
    orphan_processes: 0,
    orphan_files: 0,
  });
  expect(code, stderr).toBe(0);
  expect(listRuns()).toEqual(before);
});
