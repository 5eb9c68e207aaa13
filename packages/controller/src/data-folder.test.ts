import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Secret } from '@vestibule/protocol/secret';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DataFolderError, openDataFolder } from './data-folder.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'vestibule-data-'));
});
afterEach(() => {
  chmodSync(root, 0o700);
  rmSync(root, { recursive: true });
});

const NOBODY = 65534;
const modeOf = (path: string): number => statSync(path).mode & 0o777;

describe('the data folder', () => {
  it('is made on first start, and is the same one on the next', () => {
    const dir = join(root, 'deep', 'data');
    const first = openDataFolder(dir, null);
    const second = openDataFolder(dir, null);
    expect(first.installationId).toMatch(/^[0-9a-f]{8}$/);
    expect(first.operatorToken.reveal().length).toBeGreaterThanOrEqual(43);
    expect(second.installationId).toBe(first.installationId);
    expect(second.operatorToken.reveal()).toBe(first.operatorToken.reveal());
  });

  it('differs from every other one', () => {
    const [one, two] = ['one', 'two'].map((name) => openDataFolder(join(root, name), null));
    expect(one?.installationId).not.toBe(two?.installationId);
    expect(one?.operatorToken.reveal()).not.toBe(two?.operatorToken.reveal());
  });

  it('may be listed and written by its owner only, and so may its secrets', () => {
    const dir = join(root, 'data');
    openDataFolder(dir, null);
    expect(modeOf(dir) & 0o066).toBe(0);
    expect(modeOf(join(dir, 'operator-token'))).toBe(0o600);
    expect(modeOf(join(dir, 'installation-id'))).toBe(0o600);
  });

  it('takes a given operator token and does not write it down', () => {
    const dir = join(root, 'data');
    expect(openDataFolder(dir, new Secret('given')).operatorToken.reveal()).toBe('given');
    expect(() => readFileSync(join(dir, 'operator-token'))).toThrow('ENOENT');
  });

  it('is refused in words when a file stands in its place', () => {
    const file = join(root, 'file');
    writeFileSync(file, '');
    for (const dir of [file, join(file, 'below')]) {
      expect(() => openDataFolder(dir, null)).toThrow(DataFolderError);
      expect(() => openDataFolder(dir, null)).toThrow(/is not a folder.*VESTIBULE_DATA_DIR/);
    }
  });

  it('is refused in words when this user cannot write it', () => {
    const isRoot = process.geteuid?.() === 0;
    chmodSync(root, 0o500);
    // Root may write everywhere.
    if (isRoot) process.seteuid?.(NOBODY);
    try {
      expect(() => openDataFolder(join(root, 'data'), null)).toThrow(/is not writable.*VESTIBULE_DATA_DIR/);
    } finally {
      if (isRoot) process.seteuid?.(0);
    }
  });
});
