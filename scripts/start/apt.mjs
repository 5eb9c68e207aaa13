/** What Vestibule asks of Debian's package tools. Knows nothing of which packages or why. */
import { createProgress } from './progress.mjs';
import { runProgram } from './run-program.mjs';
import { toAptStatus, toOverallPercent } from './apt-progress.mjs';

const APT_OPTIONS = ['-o', 'APT::Status-Fd=1', '-o', 'Dpkg::Use-Pty=0', '-o', 'DPkg::Lock::Timeout=300'];
const APT_ENV = { DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C.UTF-8' };

/** Whether this machine has them at all. */
export async function hasApt() {
  if (process.platform !== 'linux') return false;
  const found = await Promise.all([runProgram('apt-get', ['--version']), runProgram('dpkg-query', ['--version'])]);
  return found.every((program) => program.code === 0);
}

/**
 * @param {readonly string[]} names
 * @returns {Promise<string[]>} those of `names` that are not installed
 */
export async function findMissing(names) {
  const { stdout } = await runProgram('dpkg-query', ['-W', '-f', '${Package} ${db:Status-Status}\n', ...names]);
  const installed = new Set(
    stdout
      .split('\n')
      .filter((line) => line.endsWith(' installed'))
      .map((line) => line.split(' ')[0]),
  );
  return names.filter((name) => !installed.has(name));
}

/**
 * @param {readonly string[]} names
 * @returns {Promise<string[]>} those that the machine's package sources do not offer
 */
async function findUnavailable(names) {
  const { stdout } = await runProgram('apt-cache', ['policy', ...names], { env: { ...process.env, ...APT_ENV } });
  const offered = new Set(
    [...stdout.matchAll(/^(\S+):\n(?:.*\n)?\s+Candidate: (?!\(none\))/gm)].map((match) => match[1]),
  );
  return names.filter((name) => !offered.has(name));
}

/**
 * @param {readonly string[]} prefix `['sudo']` or nothing
 * @param {string} command
 * @param {readonly string[]} args
 * @param {(status: import('./apt-progress.mjs').AptStatus) => void} onStatus
 */
function runApt(prefix, command, args, onStatus) {
  const settings = Object.entries(APT_ENV).map(([name, value]) => `${name}=${value}`);
  const argv = [...prefix, 'env', ...settings, 'apt-get', command, ...APT_OPTIONS, ...args];
  return runProgram(argv[0] ?? '', argv.slice(1), {
    stdin: prefix.length > 0 ? 'inherit' : 'ignore',
    onLine(line) {
      const status = toAptStatus(line);
      if (status !== null) onStatus(status);
    },
  });
}

/**
 * Installs what the package sources offer, showing progress.
 * @param {readonly string[]} names
 * @param {{ sudo: boolean }} options
 * @returns {Promise<{ unavailable: string[], problem: string | null }>} `problem`: apt's last words when it failed
 */
export async function installWithApt(names, { sudo }) {
  const prefix = sudo ? ['sudo'] : [];
  const progress = createProgress(process.stdout);
  try {
    const update = await runApt(prefix, 'update', [], () => progress.update('Reading package lists', 0));
    const unavailable = await findUnavailable(names);
    const wanted = names.filter((name) => !unavailable.includes(name));
    if (wanted.length === 0) {
      return { unavailable, problem: update.code === 0 ? null : update.tail.slice(-5).join('\n') };
    }
    const install = await runApt(prefix, 'install', ['-y', '--no-install-recommends', ...wanted], (status) => {
      if (status.kind !== 'error') progress.update('Installing', toOverallPercent(status));
    });
    const words = install.tail.filter((line) => toAptStatus(line)?.kind !== 'download').slice(-8);
    return { unavailable, problem: install.code === 0 ? null : words.join('\n') };
  } finally {
    progress.end();
  }
}
