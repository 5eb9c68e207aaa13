/**
 * Every setting of Vestibule: its name, its form, its default and what it does. `.env.example` and `--help` are made from this table.
 * Settings are text; the schemas turn them into values. Nothing here reads the environment.
 */
import { isIP } from 'node:net';
import { z } from 'zod';

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

const text = z.string().min(1);

function wholeNumber(min: number, max: number) {
  const error = `must be a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d{1,9}$/, { error, abort: true })
    .transform(Number)
    .pipe(z.number().min(min, error).max(max, error));
}

const seconds = (min: number) => wholeNumber(min, 86_400).transform((value) => value * 1000);
const flag = z.enum(['0', '1'], 'must be 0 or 1').transform((value) => value === '1');

const host = text.regex(/^[\w.:-]+$/, 'must be an address or a host name, without scheme and port');

const origin = z.string().transform((value, context) => {
  const url = URL.canParse(value) ? new URL(value) : null;
  const bare = url !== null && url.pathname === '/' && url.search === '' && url.hash === '' && url.username === '';
  if (url !== null && bare && (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopbackHost(url.hostname))))
    return url.origin;
  context.addIssue({
    code: 'custom',
    message: 'must be an https origin such as https://vestibule.example.org, or http on the loopback',
  });
  return z.NEVER;
});

const addresses = z
  .string()
  .transform((value) =>
    value
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== ''),
  )
  .refine((list) => list.every((address) => isIP(address) !== 0), 'must be addresses separated by commas');

const databaseUrl = z
  .string()
  .refine((value) => /^postgres(ql)?:\/\//.test(value) && URL.canParse(value), 'must begin with postgresql://');

const token = z.string().regex(/^[\w-]{32,200}$/, 'must be 32 to 200 letters, digits, - or _');

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
  VESTIBULE_RUNTIME: setting(text, 'process', 'How browser VMs are run: process, or fake (development and tests).'),
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
  VESTIBULE_BROWSER: setting(text, '/usr/lib/chromium/chromium', 'The Chromium that runs inside browser VMs.'),
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

/** Whether an address or host name, as in a URL or a `Host` header without port, is this machine's own loopback. */
export function isLoopbackHost(name: string): boolean {
  const bare = name.replace(/^\[|\]$/g, '').toLowerCase();
  if (bare === 'localhost' || bare === '::1') return true;
  return isIP(bare) === 4 && bare.startsWith('127.');
}
