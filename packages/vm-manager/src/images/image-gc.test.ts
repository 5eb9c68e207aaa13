import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { collectImages, planRemoval } from './image-gc.ts';
import {
  clearPartialImages,
  findCurrentImage,
  listImages,
  makeCurrent,
  publishImage,
  toPartialDir,
} from './image-store.ts';
import { makeManifest } from './testing-manifest.ts';

let imagesDir: string;
let vmsDir: string;
beforeEach(() => {
  const dir = mkdtempSync(join(tmpdir(), 'vestibule-images-'));
  [imagesDir, vmsDir] = [join(dir, 'images'), join(dir, 'vms')];
  mkdirSync(vmsDir);
});
afterEach(() => rmSync(join(imagesDir, '..'), { recursive: true }));

const toId = (digit: number): string => String(digit).repeat(16);

/** Published `digit` seconds after 1970. */
async function publish(digit: number): Promise<void> {
  const partial = toPartialDir(imagesDir, toId(digit));
  mkdirSync(partial, { recursive: true });
  writeFileSync(join(partial, 'manifest.json'), JSON.stringify(makeManifest(toId(digit))));
  await publishImage(imagesDir, toId(digit));
  utimesSync(join(imagesDir, toId(digit)), digit, digit);
}

const idsOf = (images: readonly { imageId: string }[]): string[] => images.map(({ imageId }) => imageId).toSorted();

it('keeps the current image and the one before it', async () => {
  for (const digit of [1, 2, 3, 4]) await publish(digit);
  await makeCurrent(imagesDir, toId(4));
  expect(idsOf(planRemoval(await listImages(imagesDir), new Set()))).toEqual([toId(1), toId(2)]);
});

it('keeps the current image also when it is the oldest', async () => {
  for (const digit of [1, 2, 3]) await publish(digit);
  await makeCurrent(imagesDir, toId(1));
  expect(idsOf(planRemoval(await listImages(imagesDir), new Set()))).toEqual([toId(2)]);
});

it('keeps an image that a VM was started from, named by path or by tag', async () => {
  for (const digit of [1, 2, 3, 4, 5]) await publish(digit);
  await makeCurrent(imagesDir, toId(5));
  mkdirSync(join(vmsDir, 'vm_a'));
  writeFileSync(
    join(vmsDir, 'vm_a', 'spec.json'),
    JSON.stringify({ launch: { root: join(imagesDir, toId(1), 'root.ext4') } }),
  );
  mkdirSync(join(vmsDir, 'vm_b'));
  writeFileSync(
    join(vmsDir, 'vm_b', 'spec.json'),
    JSON.stringify({ launch: { image: `vestibule-browser:${toId(2)}` } }),
  );
  expect(idsOf(await collectImages(imagesDir, vmsDir, true))).toEqual([toId(3)]);
  expect(idsOf(await listImages(imagesDir))).toHaveLength(5);
  expect(idsOf(await collectImages(imagesDir, vmsDir, false))).toEqual([toId(3)]);
  expect(idsOf(await listImages(imagesDir))).toEqual([toId(1), toId(2), toId(4), toId(5)]);
});

it('takes a half-made image for none, and clears it away', async () => {
  await publish(1);
  mkdirSync(toPartialDir(imagesDir, toId(2)));
  expect(idsOf(await listImages(imagesDir))).toEqual([toId(1)]);
  expect(await findCurrentImage(imagesDir)).toBeNull();
  await makeCurrent(imagesDir, toId(1));
  await clearPartialImages(imagesDir);
  expect(readdirSync(imagesDir).toSorted()).toEqual([toId(1), 'current']);
  expect((await findCurrentImage(imagesDir))?.pathOf('rootfs')).toBe(join(imagesDir, toId(1), 'root.ext4'));
});

it('has a current image at every moment while it changes', async () => {
  for (const digit of [1, 2]) await publish(digit);
  await makeCurrent(imagesDir, toId(1));
  let isDone = false;
  const looking = (async () => {
    let looks = 0;
    for (; !isDone; looks += 1) expect(await findCurrentImage(imagesDir)).not.toBeNull();
    return looks;
  })();
  for (let turn = 0; turn < 200; turn += 1) await makeCurrent(imagesDir, toId(1 + (turn % 2)));
  isDone = true;
  expect(await looking).toBeGreaterThan(0);
});
