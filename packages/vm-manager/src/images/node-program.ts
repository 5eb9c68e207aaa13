/** Node as the registry has it, pinned by version and hash: never the one that happens to be on the machine of a build. */
import { createHash } from 'node:crypto';
import { chmod, mkdtemp, readFile, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { SYSTEM_PATH, tryCommand } from '../system/run-command.ts';
import type { Recipe } from './recipe.ts';

const TIME_LIMIT_MS = 5 * 60_000;

/** Leaves the program at `target`. Throws with words when the registry cannot be reached or has something else than was pinned. */
export async function fetchNode(
  { package: name, version, integrity }: Recipe['node'],
  environment: Readonly<Record<string, string>>,
  target: string,
): Promise<void> {
  const work = await mkdtemp(`${target}.`);
  try {
    const spec = `${name}@${version}`;
    const path = `${dirname(process.execPath)}:${SYSTEM_PATH}`;
    const packed = await tryCommand(['npm', 'pack', spec, '--ignore-scripts', '--loglevel=error'], {
      cwd: work,
      environment: { ...environment, PATH: path, npm_config_cache: join(work, 'cache') },
      timeoutMs: TIME_LIMIT_MS,
    });
    const archive = (await readdir(work)).find((file) => file.endsWith('.tgz'));
    if (packed.exitCode !== 0 || archive === undefined)
      throw new Error(`npm could not fetch ${spec}: ${packed.stderr.trim().slice(-500)}`);
    const found = `sha512-${createHash('sha512')
      .update(await readFile(join(work, archive)))
      .digest('base64')}`;
    if (found !== integrity)
      throw new Error(
        `${spec} of the registry is not the one that the recipe pins: it has ${found}, and ${integrity} is expected`,
      );
    const unpacked = await tryCommand(['tar', '-xzf', archive, 'package/bin/node'], {
      cwd: work,
      timeoutMs: TIME_LIMIT_MS,
    });
    if (unpacked.exitCode !== 0)
      throw new Error(`${spec} could not be unpacked: ${unpacked.stderr.trim().slice(-500)}`);
    await chmod(join(work, 'package/bin/node'), 0o755);
    await rename(join(work, 'package/bin/node'), target);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
