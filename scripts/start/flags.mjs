/** The flags of `npm start`: a few are its own, all others go on to the controller, which knows and checks them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';

/**
 * @typedef {{ help: boolean, yes: boolean, install: boolean, controllerArgs: string[] }} StartFlags
 * @param {readonly string[]} argv
 * @returns {StartFlags}
 */
export function parseStartFlags(argv) {
  const own = new Set(['--help', '-h', '--yes', '-y', '--no-install']);
  /** @param {...string} names */
  const has = (...names) => names.some((name) => argv.includes(name));
  return {
    help: has('--help', '-h'),
    yes: has('--yes', '-y'),
    install: !has('--no-install'),
    controllerArgs: argv.filter((argument) => !own.has(argument)),
  };
}

/**
 * What the controller will read for a setting; only to know what must be there before it starts.
 * @param {string} name
 * @param {readonly string[]} controllerArgs
 * @param {Readonly<Record<string, string | undefined>>} environment
 * @returns {string | undefined} never empty
 */
export function findSetting(name, controllerArgs, environment) {
  const flag = `--${name
    .replace(/^VESTIBULE_/, '')
    .toLowerCase()
    .replaceAll('_', '-')}`;
  const at = controllerArgs.findLastIndex((argument) => argument === flag || argument.startsWith(`${flag}=`));
  const given = at < 0 ? undefined : (controllerArgs[at]?.split('=')[1] ?? controllerArgs[at + 1]);
  return given || environment[name] || undefined;
}

/**
 * @param {readonly string[]} controllerArgs
 * @param {Readonly<Record<string, string | undefined>>} environment
 */
export function findRuntime(controllerArgs, environment) {
  return findSetting('VESTIBULE_RUNTIME', controllerArgs, environment) ?? 'process';
}

/**
 * The environment with the clone's `.env` below it: what is set already wins.
 * @param {string} root
 * @param {NodeJS.ProcessEnv} environment
 * @returns {NodeJS.ProcessEnv}
 */
export function withEnvFile(root, environment) {
  try {
    return { ...parseEnv(readFileSync(join(root, '.env'), 'utf8')), ...environment };
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT') return environment;
    throw error;
  }
}

/** @param {string} root */
export function toHelp(root) {
  const settings = readFileSync(join(root, '.env.example'), 'utf8');
  return `npm start -- [FLAGS]

Installs what is missing, builds, and starts Vestibule on http://127.0.0.1:7080.

  --demo         also offers a demo provider that needs no account and no internet
  --yes, -y      answers yes to the question about system packages
  --no-install   installs nothing
  --help, -h     this text

A setting can be given as a flag (VESTIBULE_PORT as --port 7081), in the environment, or in a file .env in this folder.

${settings}`;
}
