/** What the command takes from its environment. The only file of this package that may look at it. */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { Secret } from '@vestibule/protocol/secret';

export const DEFAULT_SERVER = 'http://127.0.0.1:7080';

export type CliConfig = Readonly<{
  server: string;
  /** Of the environment; null when it names none. */
  token: Secret<string> | null;
  /** Where a server of this machine and user keeps its data. */
  dataDir: string;
  /** Where what its browser VMs start from is. */
  imagesDir: string;
  home: string;
  /** For programs that are started: without the settings of a server, for they name another one. */
  programEnvironment: NodeJS.ProcessEnv;
  /** With them, for what is asked of the server of this machine. */
  serverEnvironment: NodeJS.ProcessEnv;
}>;

type Environment = Readonly<Record<string, string | undefined>>;

/** Settings of a server that also hold for one that is started for a trial. */
const KEPT_SETTINGS = new Set([
  'VESTIBULE_BROWSER',
  'VESTIBULE_VM_DNS',
  'VESTIBULE_VM_ALLOW',
  'VESTIBULE_VM_PROXY',
  'VESTIBULE_CA_FILE',
]);

/** An empty value counts as absent. */
export function loadConfig(env: Environment, isRoot = process.getuid?.() === 0): CliConfig {
  const home = env['HOME'] || homedir();
  const base = env['XDG_DATA_HOME'] || join(home, '.local', 'share');
  const dataDir = resolve(env['VESTIBULE_DATA_DIR'] || (isRoot ? '/var/lib/vestibule' : join(base, 'vestibule')));
  return Object.freeze({
    server: env['VESTIBULE_SERVER'] || DEFAULT_SERVER,
    token: env['VESTIBULE_TOKEN'] ? new Secret(env['VESTIBULE_TOKEN'].trim()) : null,
    dataDir,
    imagesDir: resolve(env['VESTIBULE_IMAGES_DIR'] || join(dataDir, 'images')),
    home,
    programEnvironment: toProgramEnvironment(env),
    serverEnvironment: { ...env },
  });
}

/** `loadConfig` from this process's own environment. */
export function loadProcessConfig(): CliConfig {
  return loadConfig(process.env);
}

function toProgramEnvironment(env: Environment): NodeJS.ProcessEnv {
  const isKept = (name: string): boolean =>
    KEPT_SETTINGS.has(name) || !(name.startsWith('VESTIBULE_') || name.startsWith('DATABASE_URL'));
  return Object.fromEntries(Object.entries(env).filter(([name]) => isKept(name)));
}
