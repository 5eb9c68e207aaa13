/** What a VM's kernel unpacks first is an archive that other programs understand, and the same again for the same entries. */
import { mkdtempSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { tryCommand } from '../system/run-command.ts';
import { toCpio, type CpioEntry } from './cpio.ts';

const dir = mkdtempSync(join(tmpdir(), 'vestibule-cpio-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const ENTRIES: CpioEntry[] = [
  { path: 'bin', kind: 'folder' },
  { path: 'bin/tool', kind: 'file', content: Buffer.from('odd'), mode: 0o755 },
  { path: 'bin/other', kind: 'link', target: 'tool' },
];

it.runIf(await hasCpio())('writes an archive that cpio unpacks', async () => {
  const path = join(dir, 'archive');
  writeFileSync(path, toCpio(ENTRIES));
  const result = await tryCommand(['cpio', '--extract', '--quiet', `--file=${path}`], { cwd: dir });
  expect(result).toMatchObject({ exitCode: 0, stderr: '' });
  expect(readFileSync(join(dir, 'bin/tool'), 'utf8')).toBe('odd');
  expect(statSync(join(dir, 'bin/tool')).mode & 0o777).toBe(0o755);
  expect(readlinkSync(join(dir, 'bin/other'))).toBe('tool');
});

it('writes the same bytes for the same entries', () => {
  expect(toCpio(ENTRIES).equals(toCpio(ENTRIES))).toBe(true);
});

async function hasCpio(): Promise<boolean> {
  return (await tryCommand(['cpio', '--version']).catch(() => null)) !== null;
}
