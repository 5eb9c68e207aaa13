/** A manifest of an image that holds nothing, for tests of the store. */
import type { ImageManifest } from './image-manifest.ts';

export function makeManifest(imageId: string): ImageManifest {
  const toFile = (name: string) => ({ name, bytes: 0, sha256: '0'.repeat(64) });
  return {
    ...{ imageId, builtAt: '2026-01-01T00:00:00Z', architecture: 'amd64', agentBuildId: 'none' },
    ...{ tools: {}, packages: {}, kernelVersion: 'none' },
    files: {
      oci: toFile('image.oci.tar'),
      rootfs: toFile('root.ext4'),
      kernel: toFile('vmlinuz'),
      vmlinux: toFile('vmlinux'),
      initramfs: toFile('initramfs'),
    },
  };
}
