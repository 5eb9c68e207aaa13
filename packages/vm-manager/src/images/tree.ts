/** A directory tree that becomes an image: what is taken out of it, and what is made the same whoever builds it and when. */
import type { Stats } from 'node:fs';
import { chmod, lchown, lstat, lutimes, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

export type TreeMeasure = { entries: number; bytes: number };

/** Calls for every entry below `dir`, what is inside a folder before the folder itself, and for `dir` last. Paths start at `dir`, with `/`. */
export async function walkTree(
  dir: string,
  visit: (path: string, stat: Stats) => Promise<void>,
  at = '',
): Promise<void> {
  const stat = await lstat(join(dir, at));
  if (stat.isDirectory())
    for (const name of (await readdir(join(dir, at))).toSorted()) await walkTree(dir, visit, `${at}/${name}`);
  await visit(at === '' ? '/' : at, stat);
}

/** `*` stands for anything within one name; at the end of a pattern, for everything below. */
export function toTreeMatcher(patterns: readonly string[]): (path: string) => boolean {
  const sources = patterns.map((pattern) =>
    pattern
      .split('*')
      .map((part) => part.replaceAll(/[.+]/g, '\\$&'))
      .join('[^/]*')
      .replace(/\/\[\^\/\]\*$/, '/.*'),
  );
  const whole = new RegExp(`^(?:${sources.join('|')})$`);
  return (path) => sources.length > 0 && whole.test(path);
}

/** Each entry that matches, with all below it. */
export async function removeMatching(dir: string, patterns: readonly string[]): Promise<void> {
  const isMatch = toTreeMatcher(patterns);
  await walkTree(dir, async (path) => {
    if (isMatch(path)) await rm(join(dir, path), { recursive: true, force: true });
  });
}

/** Nothing is set-user-ID or set-group-ID but what `privileged` names, and nothing is younger than the epoch or has a part of a second. */
export async function settleTree(dir: string, privileged: readonly string[], epochSeconds: number): Promise<void> {
  const isPrivileged = toTreeMatcher(privileged);
  await walkTree(dir, async (path, stat) => {
    const full = join(dir, path);
    if ((stat.mode & 0o6000) !== 0 && !stat.isSymbolicLink() && !isPrivileged(path))
      await chmod(full, stat.mode & 0o1777);
    const seconds = Math.min(Math.floor(stat.mtimeMs / 1000), epochSeconds);
    await lutimes(full, seconds, seconds);
  });
}

/** For a tree of our own files: root's, readable and (where it was) executable by everybody. */
export async function claimTree(dir: string): Promise<void> {
  await walkTree(dir, async (path, stat) => {
    await lchown(join(dir, path), 0, 0);
    if (stat.isSymbolicLink()) return;
    await chmod(join(dir, path), stat.isDirectory() || (stat.mode & 0o111) !== 0 ? 0o755 : 0o644);
  });
}

export async function measureTree(dir: string): Promise<TreeMeasure> {
  const measure = { entries: 0, bytes: 0 };
  await walkTree(dir, (_, stat) => {
    measure.entries += 1;
    measure.bytes += stat.size;
    return Promise.resolve();
  });
  return measure;
}
