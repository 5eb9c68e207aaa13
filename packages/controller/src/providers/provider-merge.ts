/** Which definition of which file counts when several files name the same provider. Pure. */
import type { ProviderDefinition } from '@vestibule/protocol/provider-definition';

export type DefinitionFile = {
  file: string;
  folder: string;
  /** As the file says now; null when it cannot be used. */
  read: ProviderDefinition | null;
  /** The last that was used; goes on while `read` cannot be. */
  last: ProviderDefinition | null;
};
export type UsedFile = DefinitionFile & { used: ProviderDefinition | null };
export type Clash = { file: string; words: string };

/**
 * A file of a later folder takes the place of an earlier folder's of the same id. Of two files that clash otherwise, the one that was
 * changed, else the later one, falls back to what it said before, and is out when that does not help.
 */
export function mergeDefinitions(files: readonly DefinitionFile[]): { files: UsedFile[]; clashes: Clash[] } {
  const merged: UsedFile[] = files.map((file) => ({ ...file, used: file.read ?? file.last }));
  const clashes: Clash[] = [];
  for (;;) {
    const clash = findClash(merged);
    if (clash === null) return { files: merged, clashes };
    const { loser, words } = clash;
    clashes.push({ file: loser.file, words });
    loser.used = loser.used === loser.last ? null : loser.last;
  }
}

/** Those that are offered: of each id, the last folder's. */
export function listWinners(files: readonly UsedFile[]): UsedFile[] {
  const byId = new Map<string, UsedFile>();
  for (const file of files) if (file.used !== null) byId.set(file.used.id, file);
  return [...byId.values()];
}

function findClash(files: readonly UsedFile[]): { loser: UsedFile; words: string } | null {
  return findSameId(files) ?? findSameName(listWinners(files));
}

function findSameId(files: readonly UsedFile[]): { loser: UsedFile; words: string } | null {
  const holders = new Map<string, UsedFile>();
  for (const file of files) {
    if (file.used === null) continue;
    const key = JSON.stringify([file.folder, file.used.id]);
    const other = holders.get(key);
    if (other !== undefined) {
      const loser = pickLoser(other, file);
      const winner = loser === file ? other : file;
      return { loser, words: `another file of this folder defines "${file.used.id}" too: ${winner.file}` };
    }
    holders.set(key, file);
  }
  return null;
}

function findSameName(winners: readonly UsedFile[]): { loser: UsedFile; words: string } | null {
  const holders = new Map<string, UsedFile>();
  for (const file of winners) {
    const { used } = file;
    if (used === null) continue;
    for (const name of [used.id, ...used.aliases]) {
      const other = holders.get(name);
      if (other !== undefined)
        return { loser: pickLoser(other, file), words: `"${name}" names both ${other.used?.id} and ${used.id}` };
      holders.set(name, file);
    }
  }
  return null;
}

function pickLoser(earlier: UsedFile, later: UsedFile): UsedFile {
  const isKept = ({ used, last }: UsedFile): boolean => used === last;
  return isKept(later) && !isKept(earlier) ? earlier : later;
}
