/**
 * Installs one pinned npm package without its install scripts. Uses the registry that this machine is set up for, and never its tokens.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { ProviderDefinition } from '@vestibule/protocol/provider-definition';
import { runCommand } from '../system/run-command.ts';
import { installUnprivileged, toLastLines, type InstallPlace, type InstallRequest } from './unprivileged-install.ts';

type NpmInstall = Extract<ProviderDefinition['install'], { kind: 'npm' }>;

/** Where to fetch from; nothing of who we are. */
const CARRIED_SETTINGS = ['registry', 'cafile', 'proxy', 'https-proxy', 'noproxy', 'strict-ssl'] as const;
const FLAGS = [
  '--ignore-scripts',
  '--no-audit',
  '--no-fund',
  '--save-exact',
  '--no-update-notifier',
  '--loglevel=error',
  // A native program may want a newer Node for its install script, which is not run.
  '--engine-strict=false',
];

/** Rejects with npm's last lines, or when npm chose another version than the pinned one. */
export async function installFromNpm(install: NpmInstall, request: InstallRequest): Promise<void> {
  const spec = `${install.package}@${install.version}`;
  await installUnprivileged(request, `Installing ${spec} from npm`, async (place) => {
    const [settings, manifest] = [join(place.home, '.npmrc'), join(place.tree, 'package.json')];
    await writeFile(settings, await readCarriedSettings(place.environment));
    await writeFile(manifest, '{ "private": true }\n');
    await Promise.all([settings, manifest].map(place.give));
    await runNpm(spec, place);
    await requireVersion(install, place.tree);
  });
}

async function readCarriedSettings(environment: Readonly<Record<string, string>>): Promise<string> {
  const argv = ['npm', 'config', 'get', ...CARRIED_SETTINGS];
  const lines = (await runCommand(argv, { environment, timeoutMs: 30_000 })).split('\n');
  return (
    lines.filter((line) => /^[\w-]+=(?!null$|undefined$).+/.test(line) && !/_auth|password/i.test(line)).join('\n') +
    '\n'
  );
}

function runNpm(spec: string, { home, tree, run }: InstallPlace): Promise<void> {
  return run(['npm', 'install', '--prefix', tree, '--cache', join(home, 'cache'), ...FLAGS, spec], {
    cwd: tree,
    toProblem: (said, how) => `npm install ${spec} ${how}: ${toLastLines(said)}`,
  });
}

const manifestSchema = z.object({ version: z.string() });

async function requireVersion({ package: name, version }: NpmInstall, tree: string): Promise<void> {
  const path = join(tree, 'node_modules', name, 'package.json');
  const text = await readFile(path, 'utf8').catch(() => '{}');
  const found = manifestSchema.safeParse(JSON.parse(text)).data?.version ?? 'no version';
  if (found !== version) throw new Error(`npm installed ${found} of ${name}, and ${version} is pinned`);
}
