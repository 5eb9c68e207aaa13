/** From the journal to what each VM's CLI really left behind: the login that exists, and since when. Pure. */
import type { Entry } from './journal.ts';

export type Login = {
  /** By path, in base64. */
  files: ReadonlyMap<string, string>;
  completeAtMs: number;
};

export type CliRun = {
  behaviour: string;
  /** Null when it never ended with 0 with every file complete. */
  login: Login | null;
};

type Running = {
  behaviour: string;
  files: Map<string, { contentBase64: string; isComplete: boolean }>;
  login: Login | null;
};

function toLogin(files: Running['files'], paths: readonly string[], atMs: number): Login | null {
  const found = paths.map((path) => [path, files.get(path)] as const);
  if (!found.every(([, file]) => file?.isComplete === true)) return null;
  return { files: new Map(found.map(([path, file]) => [path, file?.contentBase64 ?? ''])), completeAtMs: atMs };
}

/** @param paths the files that together are a login */
export function readCliRuns(entries: readonly Entry[], paths: readonly string[]): Map<string, CliRun> {
  const runs = new Map<string, Running>();
  for (const entry of entries) {
    if (entry.type === 'cli_started')
      runs.set(entry.vmId, { behaviour: entry.behaviour, files: new Map(), login: null });
    const run = 'vmId' in entry ? runs.get(entry.vmId) : undefined;
    if (run === undefined) continue;
    if (entry.type === 'cli_writes') {
      const { path, contentBase64, state } = entry.write;
      run.files.set(path, { contentBase64, isComplete: state === 'complete' });
    }
    if (entry.type === 'cli_exits' && entry.exitCode === 0) run.login = toLogin(run.files, paths, entry.atMs);
  }
  return runs;
}
