/**
 * Whether Firecracker can really run the image's kernel here: starts a VM without drives, whose first steps in memory only say that they ran.
 * Without a jail: it runs nothing but the image's own kernel, for a second.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Image } from '../images/image-store.ts';
import { tryCommand } from '../system/run-command.ts';
import { BOOT_ARGUMENTS } from './vm-requests.ts';

/** Said by `images/guest/initramfs-init`. */
const WORDS = 'vestibule: the probe ran';
const PROBE_MS = 20_000;
const MEMORY_MIB = 256;

/** Null when it ran; else what was seen instead. Never rejects. */
export async function probeVm(firecrackerPath: string, image: Image): Promise<string | null> {
  const dir = await mkdtemp(join(tmpdir(), 'vestibule-probe-'));
  try {
    const config = join(dir, 'vm.json');
    await writeFile(config, JSON.stringify(toConfig(image)));
    const argv = [firecrackerPath, '--no-api', '--config-file', config];
    const { stdout, stderr, exitCode } = await tryCommand(argv, { timeoutMs: PROBE_MS, cwd: dir });
    if (stdout.includes(WORDS)) return null;
    const last = (stderr.trim() === '' ? stdout : stderr).trim().split('\n').at(-1) ?? '';
    return `${exitCode === null ? `it did not end within ${PROBE_MS} ms` : `exit code ${exitCode}`}: ${last.slice(0, 200)}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

function toConfig(image: Image) {
  return {
    'boot-source': {
      kernel_image_path: image.pathOf('vmlinux'),
      initrd_path: image.pathOf('initramfs'),
      boot_args: [...BOOT_ARGUMENTS, 'vestibule.probe'].join(' '),
    },
    'machine-config': { vcpu_count: 1, mem_size_mib: MEMORY_MIB },
    drives: [],
  };
}
