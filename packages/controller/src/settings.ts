/**
 * Every setting of Vestibule: its name, its form, its default and what it does. `.env.example` and `--help` are made from this table.
 * Settings are text; the schemas turn them into values. Nothing here reads the environment.
 */
import { z } from 'zod';
import {
  addresses,
  databaseUrl,
  decimal,
  flag,
  host,
  ipv4Networks,
  ociRuntime,
  origin,
  path,
  proxy,
  seconds,
  text,
  token,
  wholeNumber,
} from './setting-forms.ts';

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

type TextSchema = z.ZodType<unknown, string>;

/** A setting with a default; `fallback` is written as in the environment. */
function setting<S extends TextSchema>(schema: S, fallback: z.input<S>, description: string) {
  return schema.prefault(fallback as never).meta({ description, shown: fallback, literal: true });
}

/** A setting that may be absent; `shown` says in words what holds then. */
function optional<S extends TextSchema>(schema: S, shown: string, description: string) {
  return schema.optional().meta({ description, shown });
}

/** Like `optional`, for a value that must never be shown or given on a command line. */
function secret<S extends TextSchema>(schema: S, shown: string, description: string) {
  return schema.optional().meta({ description, shown, secret: true });
}

export const settingsSchema = z.object({
  VESTIBULE_HOST: setting(host, '127.0.0.1', 'Address to listen on.'),
  VESTIBULE_PORT: setting(wholeNumber(0, 65_535), '7080', 'Port to listen on; 0 takes any free one.'),
  VESTIBULE_PUBLIC_URL: optional(
    origin,
    'only the address listened on',
    'The https origin people open when a TLS proxy stands before Vestibule. Cookies become Secure.',
  ),
  VESTIBULE_PEER_URL: optional(
    origin,
    'the loopback address listened on, which only controllers on this machine reach',
    'The https origin under which other controllers of the same database reach this one, for live views of its browser VMs.',
  ),
  VESTIBULE_DATA_DIR: optional(
    text,
    '/var/lib/vestibule as root, else ~/.local/share/vestibule',
    'Folder for the embedded database, keys, installed programs and browser VMs.',
  ),
  VESTIBULE_RUNTIME: setting(
    text,
    'process',
    'How browser VMs are run: process, container, qemu, firecracker, or fake (development and tests). See docs/runtimes.md.',
  ),
  VESTIBULE_ALLOW_SHARED_KERNEL: setting(
    flag,
    '0',
    "1 lets the runtime process be used when other machines can reach Vestibule, though its VMs share the server's kernel.",
  ),
  VESTIBULE_VM_DNS: setting(
    addresses,
    '',
    "Name servers for browser VMs, separated by commas. Empty: the server's own.",
  ),
  VESTIBULE_CA_FILE: optional(
    text,
    "only the system's",
    'PEM file of further certificate authorities that programs and browser in VMs trust, for a network whose proxy reads along.',
  ),
  VESTIBULE_VM_ALLOW: setting(
    ipv4Networks,
    '',
    'Private networks that browser VMs may reach besides the internet, such as 10.1.2.0/24, separated by commas.',
  ),
  VESTIBULE_VM_PROXY: optional(
    proxy,
    'none; VMs reach the internet themselves',
    'HTTP proxy through which alone browser VMs reach the internet, such as http://10.1.2.3:3128.',
  ),
  VESTIBULE_VM_MEMORY_MIB: setting(wholeNumber(256, 262_144), '2048', 'Memory of each browser VM.'),
  VESTIBULE_VM_PIDS: setting(wholeNumber(300, 65_536), '1024', 'Most processes and threads in each browser VM.'),
  VESTIBULE_VM_CPUS: setting(
    decimal(0.1, 64),
    '2',
    'Processor cores of each browser VM; a fraction is rounded up by qemu and firecracker.',
  ),
  VESTIBULE_VM_DISK_MIB: setting(wholeNumber(64, 262_144), '512', 'What each browser VM may write.'),
  VESTIBULE_IMAGES_DIR: optional(
    path,
    '<data folder>/images',
    'Folder of the images that `vestibule images build` makes, which container, qemu and firecracker start from.',
  ),
  VESTIBULE_CONTAINER_SOCKET: optional(
    path,
    'the first found of podman and Docker',
    'Unix socket of the Docker API that the runtime container uses.',
  ),
  VESTIBULE_CONTAINER_RUNTIME: optional(
    ociRuntime,
    "the container engine's own",
    'OCI runtime that runs the containers, such as runsc for gVisor.',
  ),
  VESTIBULE_QEMU_ACCELERATOR: setting(
    z.enum(['auto', 'tcg'], 'must be auto or tcg'),
    'auto',
    'auto: KVM where a probe guest really runs with it, else emulation, which is slow; tcg: always emulation.',
  ),
  VESTIBULE_FIRECRACKER: setting(path, '/usr/local/bin/firecracker', 'The program firecracker.'),
  VESTIBULE_JAILER: setting(path, '/usr/local/bin/jailer', 'The program jailer, which comes with firecracker.'),
  VESTIBULE_BROWSER: setting(
    text,
    '/usr/lib/chromium/chromium',
    'The Chromium that runs inside browser VMs: of this server for process, else a path within the image.',
  ),
  VESTIBULE_MAX_SESSIONS: setting(wholeNumber(1, 1000), '8', 'Most browser VMs at once on this server.'),
  VESTIBULE_SESSION_SECONDS: setting(seconds(1), '600', 'Time a person has to sign in.'),
  VESTIBULE_GRACE_SECONDS: setting(seconds(0), '30', 'Time a browser VM lives on after its session ended.'),
  VESTIBULE_HOLD_SECONDS: setting(
    seconds(1),
    '120',
    'Time a session whose VM cannot be reached is held open before it is ended.',
  ),
  VESTIBULE_PROVIDERS_DIR: optional(text, 'none', 'Folder with further provider definitions (YAML).'),
  VESTIBULE_FAKE_SCRIPT: optional(text, 'sign in', 'What the runtime fake does with each VM; for tests.'),
  VESTIBULE_DEMO: setting(flag, '0', '1 offers a demo provider that needs no account and no internet.'),
  VESTIBULE_LOG_LEVEL: setting(
    z.enum(LOG_LEVELS, `must be one of ${LOG_LEVELS.join(', ')}`),
    'info',
    'Least level logged.',
  ),
  VESTIBULE_MASTER_KEY_FILE: optional(
    text,
    '<data folder>/master-key',
    'File of the key that seals stored logins. Made on the first start; without it they cannot be read.',
  ),
  VESTIBULE_OPERATOR_TOKEN: secret(
    token,
    'made on the first start',
    "The operator's token. Normally it is in <data folder>/operator-token.",
  ),
  VESTIBULE_OPERATOR_TOKEN_FILE: optional(
    text,
    'none',
    'File that holds the token of the operator, in place of VESTIBULE_OPERATOR_TOKEN.',
  ),
  DATABASE_URL: secret(databaseUrl, 'an embedded PostgreSQL in the data folder', 'An external PostgreSQL.'),
  DATABASE_URL_FILE: optional(text, 'none', 'File that holds the URL, in place of DATABASE_URL.'),
});

export type SettingName = keyof typeof settingsSchema.shape;
export type Settings = z.output<typeof settingsSchema>;
export const SETTING_NAMES = Object.keys(settingsSchema.shape) as SettingName[];

export type SettingText = {
  description: string;
  /** What holds without the setting: its default as one would write it when `isLiteral`, else words. */
  shown: string;
  isLiteral: boolean;
  isSecret: boolean;
};

export function describeSetting(name: SettingName): SettingText {
  const { description, shown, literal, secret: isSecret } = settingsSchema.shape[name].meta() ?? {};
  return {
    description: String(description),
    shown: String(shown),
    isLiteral: literal === true,
    isSecret: isSecret === true,
  };
}

/** The command line's name of a setting, or null for one that may not stand there: `VESTIBULE_DATA_DIR` is `--data-dir`. */
export function toFlag(name: SettingName): string | null {
  if (!name.startsWith('VESTIBULE_') || describeSetting(name).isSecret) return null;
  return `--${name.slice('VESTIBULE_'.length).toLowerCase().replaceAll('_', '-')}`;
}

/** Settings that are 0 or 1, so that their flag alone means 1. */
export const SWITCHES: readonly SettingName[] = ['VESTIBULE_ALLOW_SHARED_KERNEL', 'VESTIBULE_DEMO'];
