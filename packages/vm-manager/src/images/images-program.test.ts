import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { runImagesProgram } from './images-program.ts';
import { makeManifest } from './testing-manifest.ts';

let dir: string;
beforeEach(() => void (dir = mkdtempSync(join(tmpdir(), 'vestibule-images-'))));
afterEach(() => rmSync(dir, { recursive: true }));

async function run(args: string[]): Promise<{ code: number; out: string; err: string }> {
  const said = { out: '', err: '' };
  const folders = ['--images-dir', join(dir, 'images'), '--vms-dir', join(dir, 'vms')];
  const code = await runImagesProgram([...args, ...folders], {
    stdout: { write: (text) => (said.out += text) },
    stderr: { write: (text) => (said.err += text) },
  });
  return { code, ...said };
}

function publish(digit: number): string {
  const imageId = String(digit).repeat(16);
  const folder = join(dir, 'images', imageId);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(makeManifest(imageId)));
  utimesSync(folder, digit, digit);
  return imageId;
}

it('lists images for a person and for a program', async () => {
  expect(await run(['list'])).toMatchObject({ code: 0, out: `There is no image in ${join(dir, 'images')}.\n` });
  const [older, newer] = [publish(1), publish(2)];
  symlinkSync(newer, join(dir, 'images', 'current'));
  const { code, out } = await run(['list']);
  expect([code, out.split('\n').map((line) => line.slice(0, 18))]).toEqual([0, [`* ${newer}`, `  ${older}`, '']]);
  const told = (await run(['list', '--json'])).out.trim().split('\n');
  expect(told.map((line): unknown => JSON.parse(line))).toMatchObject([
    { type: 'image', imageId: newer, isCurrent: true },
    { type: 'image', imageId: older, isCurrent: false },
  ]);
});

it.runIf(process.geteuid?.() === 0)('says which old images would be removed before it removes them', async () => {
  const [oldest, before, current] = [publish(1), publish(2), publish(3)];
  symlinkSync(current, join(dir, 'images', 'current'));
  expect(await run(['gc', '--dry-run'])).toMatchObject({ code: 0, out: `Would remove the old image ${oldest}.\n` });
  expect(existsSync(join(dir, 'images', oldest))).toBe(true);
  expect((await run(['gc', '--json'])).out).toBe(`${JSON.stringify({ type: 'removed', imageId: oldest })}\n`);
  expect([oldest, before, current].map((imageId) => existsSync(join(dir, 'images', imageId)))).toEqual([
    false,
    true,
    true,
  ]);
});

it('ends with a code of its own for wrong usage', async () => {
  expect((await run(['burn'])).code).toBe(2);
  expect((await run(['list', '--unknown'])).code).toBe(2);
});
