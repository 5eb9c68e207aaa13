import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readCredentialFiles } from './credential-file.ts';
import { createFolder, writeInto } from './testing-folder.ts';

const PATH = '.config/tool/auth.json';
const SPECS = [{ path: PATH, format: 'json' as const, required: ['token'] }];

test('gives the exact bytes of a complete file', async () => {
  const home = createFolder();
  const bytes = Buffer.from('{ "token": "t" }\r\n\n');
  writeInto(home, PATH, bytes);
  await expect(readCredentialFiles(home, SPECS)).resolves.toMatchObject([{ path: PATH, state: 'complete', bytes }]);
});

test('calls a file absent while it or its folders do not exist', async () => {
  await expect(readCredentialFiles(createFolder(), SPECS)).resolves.toEqual([{ path: PATH, state: 'absent' }]);
});

test.each([
  ['a blank token', '{"token":""}', 'blank_field'],
  ['half a document', '{"token":"t', 'unreadable'],
  ['another format', 'token=t', 'unreadable'],
  ['nothing', '', 'unreadable'],
])('calls a file with %s incomplete', async (_what, content, problem) => {
  const home = createFolder();
  writeInto(home, PATH, content);
  await expect(readCredentialFiles(home, SPECS)).resolves.toMatchObject([{ state: 'incomplete', problem }]);
});

test('refuses 50 MB by its size, without reading it', async () => {
  const home = createFolder();
  writeInto(home, PATH, '');
  truncateSync(join(home, PATH), 50_000_000);
  const before = process.memoryUsage().arrayBuffers;
  await expect(readCredentialFiles(home, SPECS)).resolves.toMatchObject([{ problem: 'too_large' }]);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(5_000_000);
});

test('counts the files together against the limit', async () => {
  const home = createFolder();
  const specs = ['a', 'b'].map((path) => ({ path, format: 'text' as const, required: [] }));
  for (const { path } of specs) writeInto(home, path, 'x'.repeat(60));
  const states = (await readCredentialFiles(home, specs, 100)).map(({ state }) => state);
  expect(states).toEqual(['complete', 'incomplete']);
});

test('follows no symbolic link', async () => {
  const home = createFolder();
  writeInto(home, 'elsewhere.json', '{"token":"t"}');
  mkdirSync(join(home, '.config/tool'), { recursive: true });
  symlinkSync(join(home, 'elsewhere.json'), join(home, PATH));
  await expect(readCredentialFiles(home, SPECS)).resolves.toMatchObject([{ problem: 'not_a_file' }]);
});

test('follows no folder that leads out of the home', async () => {
  const home = createFolder();
  const outside = createFolder();
  writeInto(outside, 'tool/auth.json', '{"token":"t"}');
  symlinkSync(outside, join(home, '.config'));
  await expect(readCredentialFiles(home, SPECS)).resolves.toMatchObject([{ problem: 'not_a_file' }]);
});

test('does not wait for a FIFO, and takes no folder for a file', async () => {
  const home = createFolder();
  mkdirSync(join(home, '.config/tool'), { recursive: true });
  execFileSync('mkfifo', [join(home, PATH)]);
  await expect(readCredentialFiles(home, SPECS)).resolves.toMatchObject([{ problem: 'not_a_file' }]);
  const folder = [{ path: '.config/tool', format: 'text' as const, required: [] }];
  await expect(readCredentialFiles(home, folder)).resolves.toMatchObject([{ problem: 'not_a_file' }]);
});
