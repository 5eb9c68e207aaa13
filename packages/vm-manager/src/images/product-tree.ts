/** What of an image is Vestibule's own: the agent, the guest's programs and the browser's policy. Small, and it changes most often. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, readFile, readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { GUEST } from '../vm/guest.ts';

export const GUEST_PROGRAMS = '/opt/vestibule/guest';

export type ProductSources = {
  /** The built agent. */
  agentDir: string;
  policyFile: string;
  /** Folders of programs for the guest; those that do not exist count as empty. */
  guestDirs: readonly string[];
};

/** For reading an error's place and for `npm run build` alone. */
const isShipped = (path: string): boolean => !path.endsWith('.map') && basename(path) !== '.built-from';

export async function makeProductTree(sources: ProductSources, tree: string): Promise<void> {
  const { agentDir, policyFile, guestDirs } = sources;
  await cp(agentDir, join(tree, GUEST.agentDir), { recursive: true, verbatimSymlinks: true, filter: isShipped });
  await mkdir(join(tree, GUEST_PROGRAMS), { recursive: true });
  for (const dir of guestDirs.filter((path) => existsSync(path)))
    for (const name of (await readdir(dir)).filter((path) => isShipped(path))) {
      const target = join(tree, GUEST_PROGRAMS, name);
      await cp(join(dir, name), target, { recursive: true });
      await chmod(target, 0o755);
    }
  const policy = join(tree, GUEST.policyFile);
  await mkdir(dirname(policy), { recursive: true });
  await cp(policyFile, policy);
}

/** As `agent/src/build-id.ts` computes it. */
export async function readAgentBuildId(agentDir: string): Promise<string> {
  const bytes = await readFile(join(agentDir, 'agent.mjs'));
  return createHash('sha256').update(bytes).digest('hex');
}
