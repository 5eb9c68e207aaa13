/** What the runtime `qemu` says it lacks, on a machine that lacks it. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { checkQemuRuntime, type QemuPreflightQuery } from './qemu-preflight.ts';

const dir = mkdtempSync(join(tmpdir(), 'vestibule-preflight-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
writeFileSync(join(dir, 'file'), '');

const query: QemuPreflightQuery = {
  supervisorEntry: join(dir, 'file'),
  policyFile: join(dir, 'file'),
  vmsDir: join(dir, 'vms'),
  imagesDir: join(dir, 'images'),
  vmDns: ['192.0.2.1'],
  // So that no guest and no network is tried.
  isRoot: false,
  findAccelerator: () => Promise.reject(new Error('not to be asked')),
  probeUid: 48_000,
};
const find = async (changes: Partial<QemuPreflightQuery>, id: string) =>
  (await checkQemuRuntime({ ...query, ...changes })).find((requirement) => requirement.id === id);

it('needs root, and says what else to use', async () => {
  expect(await find({}, 'root')).toMatchObject({
    severity: 'missing',
    hint: expect.stringContaining('process') as string,
  });
  expect(await find({ isRoot: true, supervisorEntry: '/nowhere' }, 'root')).toBeUndefined();
});

it('needs its own parts to be built', async () => {
  expect(await find({ supervisorEntry: '/nowhere' }, 'build')).toMatchObject({ hint: 'npm run build' });
});

it('needs an image that is there, whole, and readable by other users', async () => {
  expect(await find({}, 'image')).toMatchObject({
    hint: 'vestibule images build',
    title: expect.stringContaining('There is no image') as string,
  });

  const [imageId, images] = ['0123456789abcdef', join(dir, 'broken')];
  mkdirSync(join(images, imageId), { recursive: true });
  symlinkSync(imageId, join(images, 'current'));
  writeFileSync(join(images, imageId, 'manifest.json'), '{}');
  expect((await find({ imagesDir: images }, 'image'))?.title).toMatch(/cannot be used/);

  const names = { oci: 'a', rootfs: 'b', kernel: 'c', vmlinux: 'd', initramfs: 'e' };
  const files = Object.fromEntries(
    Object.entries(names).map(([file, name]) => [file, { name, bytes: 1, sha256: '0'.repeat(64) }]),
  );
  const manifest = {
    ...{ imageId, builtAt: '2026-01-01T00:00:00Z', architecture: 'amd64', agentBuildId: '', tools: {}, packages: {} },
    ...{ kernelVersion: '6.1', files },
  };
  writeFileSync(join(images, imageId, 'manifest.json'), JSON.stringify(manifest));
  expect((await find({ imagesDir: images }, 'image'))?.title).toMatch(/not whole/);

  for (const name of Object.values(names)) writeFileSync(join(images, imageId, name), '');
  chmodSync(join(images, imageId, 'c'), 0o600);
  expect((await find({ imagesDir: images }, 'image'))?.title).toMatch(/Only some users may read/);
  chmodSync(join(images, imageId, 'c'), 0o644);
  expect(await find({ imagesDir: images }, 'image')).toBeUndefined();
});
