import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { findObstacle } from './device.ts';
import { runCuts } from './run-cuts.ts';

const obstacle = findObstacle();
if (obstacle !== null) {
  if ((process.env['REQUIRE'] ?? '').split(',').includes('loop'))
    throw new Error(`REQUIRE lists loop, but: ${obstacle}`);
  console.warn(`skipped: ${obstacle}`);
}

function createFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'vestibule-powercut-'));
  chmodSync(folder, 0o711);
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

describe.skipIf(obstacle !== null)('a power cut', () => {
  it('takes no login that was acknowledged as stored', async () => {
    const result = await runCuts(createFolder(), 1, { fsync: true, noFlush: false });
    expect(result).toMatchObject({ lost: 0, broken: 0 });
    expect(result.acknowledged).toBeGreaterThan(0);
  });

  it('takes those that a database without fsync acknowledged, so that the test above proves something', async () => {
    const result = await runCuts(createFolder(), 1, { fsync: false, noFlush: false });
    expect(result.lost).toBeGreaterThan(0);
  });
});
