/**
 * The providers this controller offers: the shipped definitions, then the operator's folder, whose file wins over a shipped one of the
 * same id. Ids and aliases resolve to one canonical id. Files that change count without a restart: at most once a second, whoever asks
 * looks at them first. One that became unusable keeps its last usable definition.
 */
import { AppError } from '@vestibule/protocol/errors';
import type { ProviderDefinition } from '@vestibule/protocol/provider-definition';
import type { Logger } from '../telemetry/logger.ts';
import { toProblemText } from './provider-file.ts';
import { listFolder, readProviderFile, type FolderListing, type FoundFile } from './provider-folder.ts';
import { listWinners, mergeDefinitions, type UsedFile } from './provider-merge.ts';

/** A definition and the folder its file is in: `bundled` programs stand beside the file. */
export type LoadedProvider = { definition: ProviderDefinition; folder: string };
export type FileProblems = { file: string; problems: string[] };

export class ProviderFilesError extends Error {
  constructor(problems: string) {
    super(`Some provider definitions cannot be used:\n${problems}`);
    this.name = 'ProviderFilesError';
  }
}

export type ProviderRegistry = {
  /** In the order of their names. */
  list(): LoadedProvider[];
  /** Null when neither an id nor an alias. */
  find(idOrAlias: string): LoadedProvider | null;
  /** Throws `unknown_provider`. */
  get(idOrAlias: string): LoadedProvider;
  /**
   * Every definition of the id since the start, newest first, also when it is offered no longer: a sign-in that runs was begun with one of
   * them. Empty when there never was one.
   */
  recall(id: string): readonly LoadedProvider[];
  /** Files that cannot be used as they are now. */
  fileProblems(): FileProblems[];
};

export type ProviderRegistryOptions = {
  isOffered?: (id: string) => boolean;
  log?: Pick<Logger, 'info' | 'warn'>;
  nowMs?: () => number;
};

const LOOK_EVERY_MS = 1_000;
/** Of one provider; a file is not changed more often while a sign-in runs. */
const RECALLED = 20;

type KeptFile = FoundFile & { read: ProviderDefinition | null; last: ProviderDefinition | null; problems: string[] };

/** What a provider is, or was when its file was still there: what runs goes on. Throws `unknown_provider` when nothing is known of it. */
export function getNewest(registry: Pick<ProviderRegistry, 'recall'>, id: string): LoadedProvider {
  const [newest] = registry.recall(id);
  if (newest === undefined)
    throw new AppError('unknown_provider', `The definition of ${id} is gone from this server: put its file back.`);
  return newest;
}

/** Reads every definition; throws `ProviderFilesError` with all problems of all files. Later folders win. */
export function loadProviders(folders: readonly string[], options: ProviderRegistryOptions = {}): ProviderRegistry {
  const registry = new WatchedRegistry(folders, options);
  const problems = registry.fileProblems();
  if (problems.length === 0) return registry;
  const lines = problems.flatMap((found) => found.problems.map((words) => toLine(found.file, words)));
  throw new ProviderFilesError(lines.join('\n'));
}

function toLine(file: string, words: string): string {
  return `${file}:${/^\d/.test(words) ? '' : ' '}${words}`;
}

class WatchedRegistry implements ProviderRegistry {
  readonly #folders: readonly string[];
  readonly #isOffered: (id: string) => boolean;
  readonly #log: ProviderRegistryOptions['log'];
  readonly #nowMs: () => number;
  #lookedAtMs = -Infinity;
  #listed = '';
  #kept = new Map<string, KeptFile>();
  #byId = new Map<string, LoadedProvider>();
  #names = new Map<string, string>();
  #problems: FileProblems[] = [];
  #unnoticed: { file: string; id: string }[] = [];
  readonly #recalled = new Map<string, LoadedProvider[]>();
  /** Problems that the log has already. */
  #logged = new Set<string>();

  constructor(folders: readonly string[], options: ProviderRegistryOptions) {
    this.#folders = folders;
    this.#isOffered = options.isOffered ?? ((): boolean => true);
    this.#log = options.log;
    this.#nowMs = options.nowMs ?? ((): number => performance.now());
  }

  list(): LoadedProvider[] {
    this.#look();
    return [...this.#byId.values()]
      .filter(({ definition }) => this.#isOffered(definition.id))
      .toSorted((a, b) => a.definition.name.localeCompare(b.definition.name));
  }

  find(idOrAlias: string): LoadedProvider | null {
    this.#look();
    const id = this.#names.get(idOrAlias);
    return id !== undefined && this.#isOffered(id) ? (this.#byId.get(id) ?? null) : null;
  }

  get(idOrAlias: string): LoadedProvider {
    const found = this.find(idOrAlias);
    if (found === null) throw new AppError('unknown_provider', 'GET /v1/providers lists the providers of this server.');
    return found;
  }

  recall(id: string): readonly LoadedProvider[] {
    this.#look();
    return this.#isOffered(id) ? (this.#recalled.get(id) ?? []) : [];
  }

  fileProblems(): FileProblems[] {
    this.#look();
    return this.#problems;
  }

  #look(): void {
    const now = this.#nowMs();
    if (now - this.#lookedAtMs < LOOK_EVERY_MS) return;
    this.#lookedAtMs = now;
    const listings = this.#folders.map(listFolder);
    const listed = JSON.stringify(listings);
    if (listed === this.#listed) return;
    const isStart = this.#listed === '';
    this.#listed = listed;
    this.#take(listings);
    // At the start the problems are thrown.
    this.#tell(isStart ? [] : this.#problems);
  }

  #take(listings: readonly FolderListing[]): void {
    const files = listings.flatMap((listing) => this.#toFiles(listing));
    const merged = mergeDefinitions(files);
    this.#kept = new Map(
      merged.files.map(({ used, file, folder, read }, index) => {
        const { stamp, problems } = files[index] as KeptFile;
        return [file, { file, folder, stamp, read, last: used, problems }];
      }),
    );
    const ofFolders = listings.flatMap(({ folder, error }) =>
      error === null ? [] : [{ file: folder, problems: [error] }],
    );
    const ofFiles = files.map(({ file, problems }) => {
      const clashes = merged.clashes.filter((clash) => clash.file === file).map(({ words }) => words);
      return { file, problems: [...problems, ...new Set(clashes)] };
    });
    this.#problems = [...ofFolders, ...ofFiles].filter(({ problems }) => problems.length > 0);
    this.#unnoticed = findUnnoticed(merged.files);
    this.#offer(listWinners(merged.files));
  }

  /** What a folder that cannot be read now held before goes on. */
  #toFiles({ folder, files, error }: FolderListing): KeptFile[] {
    if (error !== null) return [...this.#kept.values()].filter((kept) => kept.folder === folder);
    return files.map((found) => {
      const kept = this.#kept.get(found.file);
      if (kept?.stamp === found.stamp) return kept;
      const result = readProviderFile(found.file);
      const last = kept?.last ?? null;
      if (result.ok) return { ...found, read: result.definition, last, problems: [] };
      return { ...found, read: null, last, problems: result.problems.map(toProblemText) };
    });
  }

  #offer(winners: readonly UsedFile[]): void {
    const before = this.#byId;
    this.#byId = new Map();
    this.#names = new Map();
    for (const { used: definition, folder } of winners) {
      if (definition === null) continue;
      const same = before.get(definition.id);
      const loaded = same?.definition === definition && same.folder === folder ? same : { definition, folder };
      this.#byId.set(definition.id, loaded);
      for (const name of [definition.id, ...definition.aliases]) this.#names.set(name, definition.id);
      if (loaded !== same) this.#remember(loaded);
    }
    if (before.size === 0) return;
    const changed = [...this.#byId].filter(([id, loaded]) => before.get(id) !== loaded).map(([id]) => id);
    const removed = [...before.keys()].filter((id) => !this.#byId.has(id));
    if (changed.length + removed.length > 0) this.#log?.info({ changed, removed }, 'provider definitions changed');
  }

  #remember(loaded: LoadedProvider): void {
    const { id } = loaded.definition;
    const others = (this.#recalled.get(id) ?? []).filter((other) => other.definition !== loaded.definition);
    this.#recalled.set(id, [loaded, ...others].slice(0, RECALLED));
  }

  /** Each problem once; what is mended and broken again is told again. */
  #tell(problems: readonly FileProblems[]): void {
    const logged = new Set<string>();
    const tell = (key: string, say: () => void): void => {
      logged.add(key);
      if (!this.#logged.has(key)) say();
    };
    for (const found of problems)
      tell(JSON.stringify(found), () =>
        this.#log?.warn(found, 'a provider definition cannot be used as it is; its last usable state goes on'),
      );
    for (const { file, id } of this.#unnoticed)
      tell(JSON.stringify([file, id]), () =>
        this.#log?.warn(
          { file, provider: id },
          "the operator's own definition takes the place of a shipped one, and drops the notice which that carries",
        ),
      );
    this.#logged = logged;
  }
}

/** Definitions that take the place of one with a notice and have none. */
function findUnnoticed(files: readonly UsedFile[]): { file: string; id: string }[] {
  const winners = new Map(listWinners(files).map((winner) => [winner.used?.id, winner]));
  return files.flatMap(({ file, used }) => {
    const winner = winners.get(used?.id);
    const drops = used?.notice !== undefined && winner !== undefined && winner.used?.notice === undefined;
    return drops && winner.file !== file && winner.used !== null ? [{ file: winner.file, id: winner.used.id }] : [];
  });
}
