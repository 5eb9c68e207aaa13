/** Whether a target was built from exactly the present inputs: a hash of their names and bytes, kept beside what was built. */
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { TARGETS } from './targets.mjs';

export const STAMP = '.built-from';

/**
 * @param {string} root
 * @param {string} path
 * @returns {string[]} the files at or below `path`, from the root, in a fixed order; none when it does not exist
 */
function listFiles(root, path) {
  const info = statSync(join(root, path), { throwIfNoEntry: false });
  if (info === undefined) return [];
  if (!info.isDirectory()) return [path];
  return readdirSync(join(root, path))
    .toSorted()
    .flatMap((name) => listFiles(root, `${path}/${name}`));
}

/**
 * @param {string} root
 * @param {import('./targets.mjs').Target} target
 */
export function hashInputs(root, target) {
  const hash = createHash('sha256').update(
    `node ${process.versions.node.split('.')[0]} ${process.platform} ${process.arch}`,
  );
  for (const path of target.inputs.flatMap((input) => listFiles(root, input))) {
    if (path.endsWith('.test.ts')) continue;
    const bytes = readFileSync(join(root, path));
    hash.update(`\0${path}\0${bytes.length}\0`).update(bytes);
  }
  return hash.digest('hex');
}

/**
 * @param {string} root
 * @param {import('./targets.mjs').Target} target
 */
export function isFresh(root, target) {
  try {
    return readFileSync(join(root, 'dist', target.name, STAMP), 'utf8') === hashInputs(root, target);
  } catch {
    return false;
  }
}

/** @param {string} root */
export function areTargetsFresh(root) {
  return TARGETS.every((target) => isFresh(root, target));
}
