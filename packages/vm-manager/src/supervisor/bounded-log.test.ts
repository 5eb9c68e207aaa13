/** The bounded log keeps the newest output, whole across its two halves, and never more than its bound. */
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { BoundedLog } from './bounded-log.ts';

const dir = mkdtempSync(join(tmpdir(), 'vestibule-log-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

it('keeps everything while it fits', () => {
  const path = join(dir, 'small.log');
  const log = new BoundedLog(path, 1000);
  log.write(Buffer.from('first\n'));
  log.write(Buffer.from('second\n'));
  expect(readFileSync(path, 'utf8')).toBe('first\nsecond\n');
});

it('keeps the newest of more than fits, in order, and says that older output was dropped', () => {
  const path = join(dir, 'large.log');
  const log = new BoundedLog(path, 1000);
  const lines = Array.from({ length: 500 }, (_, index) => `line ${String(index).padStart(3, '0')}\n`);
  for (const line of lines) log.write(Buffer.from(line));
  expect(statSync(path).size).toBeLessThanOrEqual(500);
  const kept = readFileSync(`${path}.1`, 'utf8') + readFileSync(path, 'utf8');
  expect(kept.replaceAll('[older output was dropped]\n', '').endsWith(lines.slice(-60).join(''))).toBe(true);
  expect(kept).toContain('[older output was dropped]');
});

it('takes one write larger than the whole log', () => {
  const path = join(dir, 'huge.log');
  new BoundedLog(path, 1000).write(Buffer.from(`${'x'.repeat(10_000)}end`));
  expect(statSync(path).size + statSync(`${path}.1`).size).toBeLessThanOrEqual(1000);
  expect(readFileSync(path, 'utf8').endsWith('end')).toBe(true);
});
