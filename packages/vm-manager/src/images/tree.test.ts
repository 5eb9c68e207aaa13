import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { measureTree, removeMatching, settleTree, toTreeMatcher } from './tree.ts';

let dir: string;
beforeEach(() => void (dir = mkdtempSync(join(tmpdir(), 'vestibule-tree-'))));
afterEach(() => rmSync(dir, { recursive: true }));

function write(path: string, mode = 0o644): void {
  mkdirSync(dirname(join(dir, path)), { recursive: true });
  writeFileSync(join(dir, path), path);
  chmodSync(join(dir, path), mode);
}

it('matches a star within one name, at the end everything below, and a dot as a dot', () => {
  const matches = toTreeMatcher(['/usr/lib/python3*', '/usr/share/doc/*', '/usr/lib/libz3.so*']);
  expect(['/usr/lib/python3', '/usr/lib/python3.11', '/usr/share/doc/a/b', '/usr/lib/libz3.so.4'].map(matches)).toEqual(
    [...[true, true, true, true]],
  );
  expect(['/usr/lib/python3/a', '/usr/share/doc', '/usr/lib/libz3xso', '/x/usr/lib/python3'].map(matches)).toEqual([
    ...[false, false, false, false],
  ]);
  expect(toTreeMatcher([])('/anything')).toBe(false);
});

it('removes what matches with all below it, and follows no link out of the tree', async () => {
  const outside = mkdtempSync(join(tmpdir(), 'vestibule-outside-'));
  try {
    writeFileSync(join(outside, 'kept'), '');
    for (const path of ['usr/lib/python3/os.py', 'usr/lib/libc.so', 'var/log/dpkg.log']) write(path);
    symlinkSync(outside, join(dir, 'var/log/link'));
    symlinkSync(outside, join(dir, 'usr/link'));
    await removeMatching(dir, ['/usr/lib/python3*', '/var/log/*', '/usr/link/*']);
    expect(['usr/lib/python3', 'var/log/dpkg.log', 'var/log/link'].some((path) => existsSync(join(dir, path)))).toBe(
      false,
    );
    expect([join(dir, 'usr/lib/libc.so'), join(dir, 'var/log'), join(outside, 'kept')].every(existsSync)).toBe(true);
  } finally {
    rmSync(outside, { recursive: true });
  }
});

it('leaves privileges to the named alone, and makes nothing younger than the epoch', async () => {
  write('bin/su', 0o4755);
  write('lib/sandbox', 0o4755);
  write('bin/old');
  utimesSync(join(dir, 'bin/old'), 500, 500.25);
  await settleTree(dir, ['/lib/sandbox'], 1000);
  expect(['bin/su', 'lib/sandbox'].map((path) => statSync(join(dir, path)).mode & 0o7777)).toEqual([0o755, 0o4755]);
  expect(['bin', 'bin/su', 'bin/old'].map((path) => statSync(join(dir, path)).mtimeMs)).toEqual([
    1_000_000, 1_000_000, 500_000,
  ]);
});

it('counts entries and bytes', async () => {
  write('a/b');
  const { entries, bytes } = await measureTree(dir);
  expect(entries).toBe(3);
  expect(bytes).toBeGreaterThanOrEqual(3);
});
