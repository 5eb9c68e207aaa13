/** A clone of this repository's HEAD on a fresh machine: how a person's first minute begins. */
import { rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { ROOT } from '../start/paths.mjs';
import { runProgram } from '../start/run-program.mjs';
import type { Account, FreshMachine } from './fresh-machine.ts';
import { type NpmStart, runNpmStart } from './npm-start.ts';

export type FreshClone = {
  machine: FreshMachine;
  account: Account;
  /** `npm start -- --demo` in it, on a port that was free. */
  start(options: { terminal: boolean }): NpmStart;
  /** What the latest of them has said. */
  lastWords(): string;
};

const BUNDLE = 'vestibule.bundle';

/** Lays the repository's HEAD where the machine can clone it from, as one file that belongs to nobody in particular. */
export async function offerHead(machine: FreshMachine): Promise<void> {
  const file = join(machine.dir, 'opt', BUNDLE);
  rmSync(file, { force: true });
  const { code, tail } = await runProgram('git', ['bundle', 'create', '--quiet', file, 'HEAD'], { cwd: ROOT });
  if (code !== 0) throw new Error(`git bundle ended with code ${code}: ${tail.join('\n')}`);
}

export async function cloneHead(machine: FreshMachine, account: Account): Promise<FreshClone> {
  await machine.run(account, ['git', 'clone', '--quiet', `/opt/${BUNDLE}`, 'vestibule']);
  const port = await findFreePort();
  const cwd = join(account.home, 'vestibule');
  let latest: NpmStart | null = null;
  return {
    machine,
    account,
    start: ({ terminal }) => (latest = runNpmStart({ machine, account, cwd, port, terminal })),
    lastWords: () => latest?.said() ?? '',
  };
}

function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
