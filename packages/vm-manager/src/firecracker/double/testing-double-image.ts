/** An image that is enough for the double of Firecracker: it runs nothing of it, but opens each file, and the kernel must look like one. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CURRENT, MANIFEST } from '../../images/image-store.ts';

const FILES = { oci: 'oci', rootfs: 'root.ext4', kernel: 'bzImage', vmlinux: 'vmlinux', initramfs: 'initramfs' };

export function makeDoubleImage(imagesDir: string, agentBuildId: string): void {
  const imageId = randomBytes(8).toString('hex');
  const image = join(imagesDir, imageId);
  mkdirSync(image, { recursive: true });
  for (const name of Object.values(FILES))
    writeFileSync(join(image, name), name === 'vmlinux' ? Buffer.from('\x7fELF not a kernel', 'latin1') : name);
  const files = Object.fromEntries(
    Object.entries(FILES).map(([key, name]) => [key, { name, bytes: 1, sha256: '0'.repeat(64) }]),
  );
  const manifest = {
    ...{ imageId, builtAt: new Date().toISOString(), architecture: 'amd64', agentBuildId },
    ...{ tools: {}, packages: {}, kernelVersion: 'none', files },
  };
  writeFileSync(join(image, MANIFEST), JSON.stringify(manifest));
  symlinkSync(imageId, join(imagesDir, CURRENT));
}
