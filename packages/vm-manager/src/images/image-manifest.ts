/** What an image says of itself: `manifest.json` in its folder. */
import { z } from 'zod';

const fileSchema = z.object({
  /** Name within the image's folder. */
  name: z.string(),
  bytes: z.number().int().nonnegative(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

export const imageManifestSchema = z.object({
  /** Hash over recipe and contents; also the name of the image's folder. */
  imageId: z.string().regex(/^[0-9a-f]{16}$/),
  builtAt: z.iso.datetime(),
  /** Architecture as Debian names it: `amd64`. */
  architecture: z.string(),
  /** See `agent/src/build-id.ts`: the agent inside. */
  agentBuildId: z.string(),
  /** What was tried inside at the end of the build, and the version it told: `node`, `chromium`, `Xtigervnc`, `openbox`, … */
  tools: z.record(z.string(), z.string()),
  /** Debian packages and their versions. */
  packages: z.record(z.string(), z.string()),
  kernelVersion: z.string(),
  files: z.object({
    /** OCI archive, for `container`. Its image is tagged `vestibule-browser:<imageId>`. */
    oci: fileSchema,
    /** ext4, read-only root of `qemu` and `firecracker`. */
    rootfs: fileSchema,
    /** bzImage for `qemu`. */
    kernel: fileSchema,
    /** Uncompressed ELF for `firecracker`. */
    vmlinux: fileSchema,
    initramfs: fileSchema,
  }),
});
export type ImageManifest = z.infer<typeof imageManifestSchema>;
