/**
 * Installs one pinned npm package into a folder, without its install scripts, as a user who owns nothing else: as root a uid of its own,
 * in a folder under the system's temporary folder. Uses the registry that this machine is set up for, and never its tokens.
 */
import { spawn } from 'node:child_process';
import { chown, cp, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import type { ProviderDefinition } from '@vestibule/protocol/provider-definition';
import { runCommand, SYSTEM_PATH } from '../process/run-command.ts';
import { measureBytes } from './layer-tree.ts';

export type NpmInstallRequest = {
  install: Extract<ProviderDefinition['install'], { kind: 'npm' }>;
  /** Must not exist. */
  target: string;
  installerUid: number;
  environment: Readonly<Record<string, string | undefined>>;
  onProgress: (message: string) => void;
};

const PROGRESS_MS = 1000;
const TIME_LIMIT_MS = 15 * 60_000;
/** Where to fetch from; nothing of who we are. */
const CARRIED_SETTINGS = ['registry', 'cafile', 'proxy', 'https-proxy', 'noproxy', 'strict-ssl'] as const;

/** Rejects with npm's last lines. */
export async function installFromNpm(request: NpmInstallRequest): Promise<void> {
  const { install, target, installerUid, onProgress } = request;
  const environment = toRegistryEnvironment(request.environment);
  const spec = `${install.package}@${install.version}`;
  const uid = process.geteuid?.() === 0 ? installerUid : null;
  const work = await mkdtemp(join(tmpdir(), 'vestibule-install-'));
  const [home, tree] = [join(work, 'home'), join(work, 'layer')];
  const tell = async (): Promise<void> => {
    const megabytes = Math.round((await measureBytes(work)) / 1e6);
    onProgress(`Installing ${spec} from npm: ${megabytes} MB so far.`);
  };
  onProgress(`Installing ${spec} from npm.`);
  const progress = setInterval(() => void tell(), PROGRESS_MS);
  try {
    await Promise.all([mkdir(home), mkdir(tree)]);
    await writeFile(join(home, '.npmrc'), await readCarriedSettings(environment));
    await writeFile(join(tree, 'package.json'), '{ "private": true }\n');
    if (uid !== null)
      await Promise.all(
        [work, home, tree, join(home, '.npmrc'), join(tree, 'package.json')].map((path) => chown(path, uid, uid)),
      );
    await runNpm(spec, { home, tree, uid, environment });
    await moveTree(tree, target);
  } finally {
    clearInterval(progress);
    await rm(work, { recursive: true, force: true });
  }
}

/** The npm that came with this Node, else the system's. */
function toPath(): string {
  return [dirname(process.execPath), SYSTEM_PATH].join(delimiter);
}

/** How the registry is reached, when variables say it. */
const CARRIED_VARIABLES =
  /^(?:https?_proxy|no_proxy|node_extra_ca_certs|ssl_cert_file|npm_config_(?:registry|cafile))$/i;

function toRegistryEnvironment(environment: NpmInstallRequest['environment']): Record<string, string> {
  const entries = Object.entries(environment).filter(
    ([name, value]) => CARRIED_VARIABLES.test(name) && value !== undefined,
  );
  return { ...(Object.fromEntries(entries) as Record<string, string>), PATH: toPath() };
}

async function readCarriedSettings(environment: Readonly<Record<string, string>>): Promise<string> {
  const argv = ['npm', 'config', 'get', ...CARRIED_SETTINGS];
  const lines = (await runCommand(argv, { environment, timeoutMs: 30_000 })).split('\n');
  return (
    lines.filter((line) => /^[\w-]+=(?!null$|undefined$).+/.test(line) && !/_auth|password/i.test(line)).join('\n') +
    '\n'
  );
}

type NpmPlace = { home: string; tree: string; uid: number | null; environment: Readonly<Record<string, string>> };

function runNpm(spec: string, { home, tree, uid, environment }: NpmPlace): Promise<void> {
  const flags = [
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--save-exact',
    '--no-update-notifier',
    '--loglevel=error',
  ];
  const child = spawn('npm', ['install', '--prefix', tree, '--cache', join(home, 'cache'), ...flags, spec], {
    cwd: tree,
    env: { ...environment, HOME: home, LANG: 'C.UTF-8' },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: TIME_LIMIT_MS,
    killSignal: 'SIGKILL',
    ...(uid === null ? {} : { uid, gid: uid }),
  });
  let said = '';
  const listen = (text: string): void => void (said = (said + text).slice(-4000));
  child.stdout.setEncoding('utf8').on('data', listen);
  child.stderr.setEncoding('utf8').on('data', listen);
  return new Promise((resolve, reject) => {
    child.once('error', (error: NodeJS.ErrnoException) => reject(new Error(toStartProblem(error), { cause: error })));
    child.once('close', (exitCode, signal) => {
      if (exitCode === 0) resolve();
      else reject(new Error(`npm install ${spec} ${signal ?? `exited with code ${exitCode}`}: ${toLastLines(said)}`));
    });
  });
}

function toStartProblem(error: NodeJS.ErrnoException): string {
  if (error.code !== 'EACCES') return `npm could not be started: ${error.message}`;
  return `npm or Node (${process.execPath}) cannot be read by an unprivileged user: install Node where everybody can run it, such as /usr`;
}

/** npm prints URLs, and those of private registries may carry a login. */
function toLastLines(text: string): string {
  const clean = text.replaceAll(/\/\/[^/\s@]+@/g, '//[secret]@').replaceAll(/npm_\w{8,}/g, '[secret]');
  const lines = clean.split('\n').filter((line) => line.trim() !== '' && !line.includes('complete log of this run'));
  return lines.slice(-6).join(' ').slice(-600);
}

async function moveTree(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error;
    await cp(from, to, { recursive: true, verbatimSymlinks: true });
  }
}
