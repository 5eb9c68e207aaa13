/** What a crash or a full disk leaves in the data folder. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openDataFolder, toDataFolderError } from './data-folder.ts';

it('an operator token or installation id that was never wholly written is made anew: an empty token opens to everybody', () => {
  const dir = mkdtempSync(join(tmpdir(), 'vestibule-data-'));
  try {
    for (const name of ['operator-token', 'installation-id']) writeFileSync(join(dir, name), '');
    const folder = openDataFolder(dir, null);
    expect(folder.operatorToken.reveal().length).toBeGreaterThanOrEqual(43);
    expect(folder.installationId).toMatch(/^[0-9a-f]{8}$/);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

it('a disk that is full is said in words, whatever of the start met it, and another error stays what it is', () => {
  const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  expect(String(toDataFolderError('/data', full))).toContain(
    'DataFolderError: The data folder /data is on a full disk',
  );
  const other = new Error('else');
  expect(toDataFolderError('/data', other)).toBe(other);
});
