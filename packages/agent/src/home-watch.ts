/**
 * Tells when something happened at one of the given paths below the home, also when the folders on the way do not exist yet: every
 * existing folder on the way is watched. It may tell too often, never what happened; a slow look-again covers events the kernel dropped.
 */
import { statSync, watch, type FSWatcher } from 'node:fs';
import { dirname, join } from 'node:path';

export type HomeWatch = { close: () => void };

export function watchHome(home: string, paths: readonly string[], onChange: () => void, lookAgainMs = 1000): HomeWatch {
  const folders = toFolders(home, paths);
  /** By path and inode: a folder that was removed and made again is another folder. */
  const watchers = new Map<string, FSWatcher>();
  let closed = false;

  const onEvent = (): void => {
    if (closed) return;
    follow();
    onChange();
  };
  function follow(): void {
    const present = new Set<string>();
    for (const folder of folders) {
      const inode = statSync(folder, { throwIfNoEntry: false })?.ino;
      if (inode === undefined) continue;
      const key = `${folder}:${inode}`;
      present.add(key);
      if (!watchers.has(key)) addWatcher(key, folder);
    }
    for (const [key, watcher] of watchers) {
      if (present.has(key)) continue;
      watchers.delete(key);
      watcher.close();
    }
  }
  function addWatcher(key: string, folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, onEvent);
      watcher.on('error', () => watcher.close());
      watchers.set(key, watcher);
    } catch {
      // Gone again, or the kernel's watches are used up: looking again covers both.
    }
  }

  follow();
  const lookAgain = setInterval(onEvent, lookAgainMs);
  return {
    close() {
      closed = true;
      clearInterval(lookAgain);
      for (const watcher of watchers.values()) watcher.close();
      watchers.clear();
    },
  };
}

/** The home and every folder between it and the paths, outermost first. */
function toFolders(home: string, paths: readonly string[]): string[] {
  const folders = new Set([home]);
  for (const path of paths) {
    const parts = dirname(path)
      .split('/')
      .filter((part) => part !== '.');
    for (let depth = 1; depth <= parts.length; depth += 1) folders.add(join(home, ...parts.slice(0, depth)));
  }
  return [...folders];
}
