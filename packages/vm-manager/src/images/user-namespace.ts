/**
 * The tree of an image belongs to root and one other user. An ordinary user has both in a user namespace, if the machine gives that user
 * subordinate ids: there the same program is run again.
 */
import { spawn } from 'node:child_process';
import { tryCommand } from '../system/run-command.ts';

const ENTER = ['unshare', '--user', '--map-root-user', '--map-auto', '--'];

export const isRoot = (): boolean => process.geteuid?.() === 0;

/** Runs this very program again as root of a user namespace; resolves to its exit code. Rejects with words when there can be none. */
export async function runAsNamespaceRoot(): Promise<number> {
  const probe = await tryCommand([...ENTER, 'true']).catch((error: Error) => ({ exitCode: 1, stderr: error.message }));
  if (probe.exitCode !== 0)
    throw new Error(
      `An image can be built by root, or by a user with subordinate ids, and this user has none: ${probe.stderr.trim().slice(-300)}\n` +
        'Run it with sudo; or install the package uidmap and, as root, give this user some: usermod --add-subuids 100000-165535 ' +
        '--add-subgids 100000-165535 USER. User namespaces must be allowed (kernel.unprivileged_userns_clone=1, ' +
        'kernel.apparmor_restrict_unprivileged_userns=0).',
    );
  const [program = '', ...args] = [...ENTER, process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const child = spawn(program, args, { stdio: 'inherit' });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
}
