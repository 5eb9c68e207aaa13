import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { describeDrift } from './package-lock.ts';

it('tells of packages that changed, came or went, and of nothing when all are as expected', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'vestibule-lock-'));
  try {
    const file = join(dir, 'packages.lock');
    writeFileSync(file, '# expected\nbrowser 1.0\ngone 2.0\nsame 3.0\n');
    expect(await describeDrift(file, { browser: '1.0', gone: '2.0', same: '3.0' })).toBeNull();
    const words = await describeDrift(file, { browser: '1.1', new: '4.0', same: '3.0' });
    expect(words).toContain('browser 1.0 → 1.1, gone 2.0 → absent, new absent → 4.0.');
    expect(await describeDrift(join(dir, 'none'), { browser: '1.1' })).toBeNull();
  } finally {
    rmSync(dir, { recursive: true });
  }
});
