/**
 * The settings of this process, read once, checked as a whole and frozen. The only file that may look at the environment.
 * Every problem is reported in one message, which names settings and never shows a value.
 */
import { existsSync, readFileSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { BUILT_RUNTIMES, RUNTIME_KINDS, type BuiltRuntime } from '@vestibule/protocol/vm';
import { Secret } from '@vestibule/protocol/secret';
import { readExtraAuthorities } from './extra-authorities.ts';
import { findNearestName } from './nearest-name.ts';
import { isLoopbackHost } from './loopback-host.ts';
import { SETTING_NAMES, SWITCHES, describeSetting, settingsSchema, toFlag } from './settings.ts';
import type { LogLevel, SettingName, Settings } from './settings.ts';
import type { SshLogin } from './ready-message.ts';

/** Settings that mean something for one runtime alone. */
const NEEDED_RUNTIME: Partial<Record<SettingName, BuiltRuntime>> = {
  VESTIBULE_FAKE_SCRIPT: 'fake',
  VESTIBULE_CONTAINER_SOCKET: 'container',
  VESTIBULE_CONTAINER_RUNTIME: 'container',
  VESTIBULE_QEMU_ACCELERATOR: 'qemu',
  VESTIBULE_FIRECRACKER: 'firecracker',
  VESTIBULE_JAILER: 'firecracker',
};

const PACKAGE_VARIABLES =
  /^(?:https?_proxy|no_proxy|npm_config_(?:registry|cafile|proxy|https_proxy|noproxy)|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE|APT_CONFIG)$/i;

export type Config = Readonly<{
  host: string;
  port: number;
  /** Origin without a trailing slash, or null. */
  publicUrl: string | null;
  /** Origin for other controllers, or null for the one listened on. */
  peerUrl: string | null;
  dataDir: string;
  runtime: BuiltRuntime;
  allowSharedKernel: boolean;
  /** Empty: use the server's own. */
  vmDns: readonly string[];
  browser: string;
  /** What of the network VMs may reach, and what each may use of the host. */
  vm: Readonly<{
    allow: readonly string[];
    proxy: Readonly<{ host: string; port: number }> | null;
    memoryMib: number;
    pids: number;
    cpus: number;
    diskMib: number;
  }>;
  imagesDir: string;
  container: Readonly<{ socketPath: string; ociRuntime: string | null }>;
  qemuAccelerator: 'auto' | 'tcg';
  firecracker: Readonly<{ firecrackerPath: string; jailerPath: string }>;
  /** Certificates of authorities that VMs trust besides the system's, PEM; null: none. */
  extraAuthorities: string | null;
  maxSessions: number;
  sessionMs: number;
  graceMs: number;
  holdMs: number;
  providersDir: string | null;
  fakeScript: string | null;
  demo: boolean;
  logLevel: LogLevel;
  masterKeyFile: string;
  /** null: the one in the data folder, made when absent. */
  operatorToken: Secret<string> | null;
  /** null: the embedded PostgreSQL. */
  databaseUrl: Secret<string> | null;
  /** What of the environment a package manager may be told: proxies, certificates, registry. */
  packageEnvironment: Readonly<Record<string, string>>;
  /** How this terminal was reached, when it is a login over SSH. */
  ssh: SshLogin | null;
}>;

/** What is wrong with the settings, every problem on a line of its own. */
export class ConfigError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(
      `The settings have ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}:\n${problems.map((line) => `  - ${line}`).join('\n')}`,
    );
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

type Environment = Readonly<Record<string, string | undefined>>;
type Raw = Partial<Record<SettingName, string>>;

/**
 * @param env usually `process.env`; an empty value counts as absent. Names that begin with `VESTIBULE_` and are unknown are refused.
 * @param argv flags that win over the environment: `--port 7081`, `--port=7081`, `--demo`. Secrets have no flag.
 * @throws ConfigError
 */
export function loadConfig(env: Environment, argv: readonly string[] = [], isRoot = process.getuid?.() === 0): Config {
  const problems: string[] = [];
  const raw = readEnvironment(env, problems);
  readFlags(argv, raw, problems);
  readFile('VESTIBULE_OPERATOR_TOKEN', 'VESTIBULE_OPERATOR_TOKEN_FILE', raw, problems);
  readFile('DATABASE_URL', 'DATABASE_URL_FILE', raw, problems);
  const parsed = settingsSchema.safeParse(raw);
  for (const { path, message } of parsed.error?.issues ?? []) problems.push(`${path.join('.')} ${message}.`);
  if (!parsed.success) throw new ConfigError([...problems, ...findRuntimeProblems(raw)]);
  const config = toConfig(parsed.data, env, isRoot, readAuthorities(parsed.data, problems));
  problems.push(...findRuntimeProblems(raw), ...findConflicts(config, raw));
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

/** `loadConfig` from this process's own environment. */
export function loadProcessConfig(argv: readonly string[]): Config {
  return loadConfig(process.env, argv);
}

/** `loadProcessConfig` as if the settings named that runtime; what only others take is left out. */
export function loadProcessConfigFor(runtime: BuiltRuntime, argv: readonly string[]): Config {
  const isOthers = (name: string): boolean => isSettingName(name) && (NEEDED_RUNTIME[name] ?? runtime) !== runtime;
  const rest = Object.entries(process.env).filter(([name]) => !isOthers(name));
  return loadConfig({ ...Object.fromEntries(rest), VESTIBULE_RUNTIME: runtime }, argv);
}

/** The runtime that the environment names, without a look at anything else; null: none that there is. */
export function findProcessRuntime(): BuiltRuntime | null {
  const named = process.env['VESTIBULE_RUNTIME'] || settingsSchema.shape.VESTIBULE_RUNTIME.parse(undefined);
  return BUILT_RUNTIMES.find((kind) => kind === named) ?? null;
}

/** Whether other machines can reach this one: by the address it listens on or through the proxy before it. */
export function isOffLoopback(config: Pick<Config, 'host' | 'publicUrl'>): boolean {
  return (
    !isLoopbackHost(config.host) || (config.publicUrl !== null && !isLoopbackHost(new URL(config.publicUrl).hostname))
  );
}

/** Settings of the `vestibule` command, which may be set in the same shell. */
const OF_THE_COMMAND = new Set(['VESTIBULE_SERVER', 'VESTIBULE_TOKEN']);

function readEnvironment(env: Environment, problems: string[]): Raw {
  const raw: Raw = {};
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined || value === '') continue;
    if (isSettingName(name)) raw[name] = value;
    else if (OF_THE_COMMAND.has(name)) continue;
    else if (name.startsWith('VESTIBULE_')) problems.push(`${name} is not a setting.${suggest(name, SETTING_NAMES)}`);
  }
  return raw;
}

function readFlags(argv: readonly string[], raw: Raw, problems: string[]): void {
  const names = new Map(SETTING_NAMES.map((name) => [toFlag(name), name] as const));
  const flags = [...names.keys()].filter((flag) => flag !== null);
  const rest = [...argv];
  for (let argument = rest.shift(); argument !== undefined; argument = rest.shift()) {
    const [flag = '', ...after] = argument.split('=');
    const name = names.get(flag);
    if (!flag.startsWith('--')) problems.push('The command line has a word that belongs to no option.');
    else if (name === undefined) problems.push(`${flag} is not an option.${suggest(flag, flags)}`);
    else if (after.length > 0) raw[name] = after.join('=');
    else if (SWITCHES.includes(name)) raw[name] = '1';
    else if (rest[0] === undefined || rest[0].startsWith('--')) problems.push(`${flag} needs a value.`);
    else raw[name] = rest.shift() ?? '';
  }
}

function readFile(name: SettingName, fileName: SettingName, raw: Raw, problems: string[]): void {
  const path = raw[fileName];
  if (path === undefined) return;
  if (raw[name] !== undefined) problems.push(`Set ${name} or ${fileName}, not both.`);
  try {
    raw[name] = readFileSync(path, 'utf8').trim();
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    problems.push(`${fileName}: the file ${path} cannot be read (${reason}).`);
  }
}

function readAuthorities({ VESTIBULE_CA_FILE: path }: Settings, problems: string[]): string | null {
  if (path === undefined) return null;
  try {
    return readExtraAuthorities(resolve(path));
  } catch (error) {
    problems.push(`VESTIBULE_CA_FILE: ${error instanceof Error ? error.message : 'unreadable'}.`);
    return null;
  }
}

function toConfig(settings: Settings, env: Environment, isRoot: boolean, extraAuthorities: string | null): Config {
  const dataDir = resolve(settings.VESTIBULE_DATA_DIR ?? toDefaultDataDir(env, isRoot));
  return Object.freeze({
    host: settings.VESTIBULE_HOST,
    port: settings.VESTIBULE_PORT,
    publicUrl: settings.VESTIBULE_PUBLIC_URL ?? null,
    peerUrl: settings.VESTIBULE_PEER_URL ?? null,
    dataDir,
    runtime: BUILT_RUNTIMES.find((kind) => kind === settings.VESTIBULE_RUNTIME) ?? 'process',
    allowSharedKernel: settings.VESTIBULE_ALLOW_SHARED_KERNEL,
    vmDns: Object.freeze(settings.VESTIBULE_VM_DNS),
    browser: settings.VESTIBULE_BROWSER,
    vm: Object.freeze({
      allow: Object.freeze(settings.VESTIBULE_VM_ALLOW),
      proxy: settings.VESTIBULE_VM_PROXY ?? null,
      memoryMib: settings.VESTIBULE_VM_MEMORY_MIB,
      pids: settings.VESTIBULE_VM_PIDS,
      cpus: settings.VESTIBULE_VM_CPUS,
      diskMib: settings.VESTIBULE_VM_DISK_MIB,
    }),
    imagesDir: settings.VESTIBULE_IMAGES_DIR ?? join(dataDir, 'images'),
    container: Object.freeze({
      socketPath: settings.VESTIBULE_CONTAINER_SOCKET ?? findContainerSocket(env, isRoot),
      ociRuntime: settings.VESTIBULE_CONTAINER_RUNTIME ?? null,
    }),
    qemuAccelerator: settings.VESTIBULE_QEMU_ACCELERATOR,
    firecracker: Object.freeze({
      firecrackerPath: settings.VESTIBULE_FIRECRACKER,
      jailerPath: settings.VESTIBULE_JAILER,
    }),
    extraAuthorities,
    maxSessions: settings.VESTIBULE_MAX_SESSIONS,
    sessionMs: settings.VESTIBULE_SESSION_SECONDS,
    graceMs: settings.VESTIBULE_GRACE_SECONDS,
    holdMs: settings.VESTIBULE_HOLD_SECONDS,
    providersDir: settings.VESTIBULE_PROVIDERS_DIR === undefined ? null : resolve(settings.VESTIBULE_PROVIDERS_DIR),
    fakeScript: settings.VESTIBULE_FAKE_SCRIPT ?? null,
    demo: settings.VESTIBULE_DEMO,
    logLevel: settings.VESTIBULE_LOG_LEVEL,
    masterKeyFile: resolve(settings.VESTIBULE_MASTER_KEY_FILE ?? join(dataDir, 'master-key')),
    operatorToken: toSecret(settings.VESTIBULE_OPERATOR_TOKEN),
    databaseUrl: toSecret(settings.DATABASE_URL),
    packageEnvironment: toPackageEnvironment(env),
    ssh: toSshLogin(env),
  });
}

function toPackageEnvironment(env: Environment): Record<string, string> {
  const named = Object.entries(env).flatMap(([name, value]) =>
    value !== undefined && PACKAGE_VARIABLES.test(name) ? [[name, value] as const] : [],
  );
  return Object.fromEntries(named);
}

/** sshd sets `SSH_CONNECTION` to `client-address client-port server-address server-port` (sshd(8)). */
function toSshLogin(env: Environment): SshLogin | null {
  const [, , serverAddress, port] = (env['SSH_CONNECTION'] ?? '').split(' ');
  if (serverAddress === undefined || port === undefined) return null;
  return { user: env['USER'] || userInfo().username, serverAddress, port: Number(port) };
}

function toDefaultDataDir(env: Environment, isRoot: boolean): string {
  if (isRoot) return '/var/lib/vestibule';
  const base = env['XDG_DATA_HOME'] || join(env['HOME'] || homedir(), '.local', 'share');
  return join(base, 'vestibule');
}

/** The first that is there; where none is, the one that preflight then says is missing. */
function findContainerSocket(env: Environment, isRoot: boolean): string {
  const own = isRoot || !env['XDG_RUNTIME_DIR'] ? null : env['XDG_RUNTIME_DIR'];
  const candidates = [
    ...(own === null ? [] : [join(own, 'podman', 'podman.sock'), join(own, 'docker.sock')]),
    '/run/podman/podman.sock',
    '/run/docker.sock',
    '/var/run/docker.sock',
  ];
  return candidates.find((path) => existsSync(path)) ?? candidates[0] ?? '';
}

function findRuntimeProblems(raw: Raw): string[] {
  const runtime = raw.VESTIBULE_RUNTIME;
  if (runtime === undefined || (BUILT_RUNTIMES as readonly string[]).includes(runtime)) return [];
  return (RUNTIME_KINDS as readonly string[]).includes(runtime)
    ? [`VESTIBULE_RUNTIME: ${runtime} is planned and not part of this version. Use ${toChoice(BUILT_RUNTIMES)}.`]
    : [`VESTIBULE_RUNTIME must be ${toChoice(BUILT_RUNTIMES)}.${suggest(runtime, BUILT_RUNTIMES)}`];
}

function toChoice(words: readonly string[]): string {
  return `${words.slice(0, -1).join(', ')} or ${words.at(-1) ?? ''}`;
}

/** A setting written as its default, as in `.env.example`, is as good as absent. */
function findUnneeded(config: Config, raw: Raw): string[] {
  return SETTING_NAMES.flatMap((name) => {
    const needed = NEEDED_RUNTIME[name];
    const { shown, isLiteral } = describeSetting(name);
    const isGiven = raw[name] !== undefined && !(isLiteral && raw[name] === shown);
    if (needed === undefined || !isGiven || config.runtime === needed) return [];
    return [`${name} needs VESTIBULE_RUNTIME=${needed}.`];
  });
}

function findConflicts(config: Config, raw: Raw): string[] {
  const problems: string[] = [];
  if (config.runtime === 'process' && isOffLoopback(config) && !config.allowSharedKernel)
    problems.push(
      "With VESTIBULE_RUNTIME=process browser VMs share this server's kernel, and with these VESTIBULE_HOST and VESTIBULE_PUBLIC_URL other machines can reach it. " +
        'Listen on 127.0.0.1 only, or set VESTIBULE_ALLOW_SHARED_KERNEL=1 to accept that.',
    );
  return [...problems, ...findUnneeded(config, raw)];
}

function suggest(mistyped: string, names: readonly string[]): string {
  const nearest = findNearestName(mistyped, names);
  return nearest === null ? ' The settings are listed in .env.example.' : ` Did you mean ${nearest}?`;
}

function isSettingName(name: string): name is SettingName {
  return (SETTING_NAMES as readonly string[]).includes(name);
}

function toSecret(value: string | undefined): Secret<string> | null {
  return value === undefined ? null : new Secret(value);
}
