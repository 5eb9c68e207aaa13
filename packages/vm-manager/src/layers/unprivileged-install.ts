/**
 * The place in which a package manager fills a layer: a folder under the system's temporary folder, as a user who owns nothing else (as
 * root a uid of its own), with an environment that says how packages are fetched and nothing of who we are.
 */
import { spawn } from 'node:child_process';
import { chown, cp, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { SYSTEM_PATH } from '../system/run-command.ts';
import { measureBytes } from './layer-tree.ts';

export type InstallRequest = {
  /** Must not exist. */
  target: string;
  installerUid: number;
  /** The variables of this process. */
  environment: Readonly<Record<string, string | undefined>>;
  onProgress: (message: string) => void;
};

export type InstallPlace = {
  home: string;
  /** What becomes the layer. */
  tree: string;
  environment: Readonly<Record<string, string>>;
  /** Makes a file or folder of ours the installer's own. */
  give: (path: string) => Promise<void>;
  /** Runs a program as the installer; rejects with what `toProblem` makes of its last output. */
  run: (argv: readonly string[], options: RunOptions) => Promise<void>;
};
export type RunOptions = { cwd: string; toProblem: (said: string, how: string) => string };

const PROGRESS_MS = 1000;
const TIME_LIMIT_MS = 15 * 60_000;
/** How packages are fetched, when variables say it. */
const CARRIED_VARIABLES =
  /^(?:https?_proxy|no_proxy|node_extra_ca_certs|ssl_cert_file|apt_config|npm_config_(?:registry|cafile))$/i;

/** `what` is told with the size so far, about once a second. Whatever happens, the place is gone at the end. */
export async function installUnprivileged(
  request: InstallRequest,
  what: string,
  fill: (place: InstallPlace) => Promise<void>,
): Promise<void> {
  const uid = process.geteuid?.() === 0 ? request.installerUid : null;
  const work = await mkdtemp(join(tmpdir(), 'vestibule-install-'));
  const [home, tree] = [join(work, 'home'), join(work, 'layer')];
  const environment = toInstallerEnvironment(request.environment);
  const give = (path: string): Promise<void> => (uid === null ? Promise.resolve() : chown(path, uid, uid));
  const tell = async (): Promise<void> =>
    request.onProgress(`${what}: ${Math.round((await measureBytes(work)) / 1e6)} MB so far.`);
  request.onProgress(`${what}.`);
  const progress = setInterval(() => void tell(), PROGRESS_MS);
  try {
    await Promise.all([mkdir(home), mkdir(tree)]);
    await Promise.all([work, home, tree].map(give));
    const run: InstallPlace['run'] = (argv, options) => runInstaller(argv, { ...options, uid, home, environment });
    await fill({ home, tree, environment, give, run });
    await moveTree(tree, request.target);
  } finally {
    clearInterval(progress);
    await rm(work, { recursive: true, force: true });
  }
}

/** With the npm that came with this Node, else the system's. */
function toInstallerEnvironment(environment: InstallRequest['environment']): Record<string, string> {
  const entries = Object.entries(environment).filter(
    ([name, value]) => CARRIED_VARIABLES.test(name) && value !== undefined,
  );
  const path = [dirname(process.execPath), SYSTEM_PATH].join(delimiter);
  return { ...(Object.fromEntries(entries) as Record<string, string>), PATH: path };
}

type Installer = RunOptions & { uid: number | null; home: string; environment: InstallPlace['environment'] };

function runInstaller(argv: readonly string[], installer: Installer): Promise<void> {
  const { cwd, uid, home, environment, toProblem } = installer;
  const [program = '', ...args] = argv;
  const child = spawn(program, args, {
    cwd,
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
    child.once('error', (error: NodeJS.ErrnoException) =>
      reject(new Error(toStartProblem(program, error), { cause: error })),
    );
    child.once('close', (exitCode, signal) => {
      if (exitCode === 0) resolve();
      else reject(new Error(toProblem(said, signal ?? `exited with code ${exitCode}`)));
    });
  });
}

function toStartProblem(program: string, error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return `${program} is not installed on this server`;
  if (error.code !== 'EACCES') return `${program} could not be started: ${error.message}`;
  return `${program} or Node (${process.execPath}) cannot be read by an unprivileged user: install Node where everybody can run it, such as /usr`;
}

/** Package managers print URLs, and those of private registries may carry a login. */
export function toLastLines(text: string): string {
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
