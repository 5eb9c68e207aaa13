/** A CLI's layer as a drive: an ext4 file beside the layer's folder, made once for each layer. Layers never change, so neither does it. */
import type { Dirent } from 'node:fs';
import { access, lstat, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../system/run-command.ts';
import { createSingleFlight } from '../single-flight.ts';

const BLOCK = 4096;
/** For the file system itself; what stays empty takes no room on the host's disk. */
const SPARE_BYTES = 16 * 1024 * 1024;
const MAKE_MS = 5 * 60_000;

const makings = createSingleFlight<string>();

/** The file's path. Calls at once share the making; a second process makes its own, and the later one takes the place. */
export function prepareLayerImage(layerDir: string): Promise<string> {
  const path = `${layerDir}.ext4`;
  return makings.run(path, async () => {
    if (await isThere(path)) return path;
    const draft = `${path}.${process.pid}.partial`;
    try {
      await makeExt4(layerDir, draft);
      await rename(draft, path);
    } finally {
      await rm(draft, { force: true });
    }
    return path;
  });
}

async function makeExt4(dir: string, path: string): Promise<void> {
  const { entries, bytes } = await measure(dir);
  const blocks = Math.ceil((bytes * 1.05 + SPARE_BYTES) / BLOCK);
  const options = ['-q', '-F', '-b', String(BLOCK), '-m', '0', '-N', String(entries + 64), '-O', '^has_journal'];
  await runCommand(['mkfs.ext4', ...options, '-d', dir, path, String(blocks)], { timeoutMs: MAKE_MS });
}

/** `bytes`: in whole blocks, with an inode each. */
async function measure(dir: string): Promise<{ entries: number; bytes: number }> {
  const sizes = await Promise.all(
    (await readdir(dir, { withFileTypes: true })).map((entry) => measureEntry(join(dir, entry.name), entry)),
  );
  const entries = sizes.reduce((sum, size) => sum + size.entries, 1);
  return { entries, bytes: sizes.reduce((sum, size) => sum + size.bytes, BLOCK) };
}

async function measureEntry(path: string, entry: Dirent): Promise<{ entries: number; bytes: number }> {
  if (entry.isDirectory()) return measure(path);
  return { entries: 1, bytes: (Math.ceil((await lstat(path)).size / BLOCK) + 1) * BLOCK };
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
