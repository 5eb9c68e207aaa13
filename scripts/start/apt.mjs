/** What Vestibule asks of Debian's package tools. Knows nothing of which packages or why. */
import { createProgress } from './progress.mjs';
import { runProgram } from './run-program.mjs';
import { toAptStatus, toOverallPercent } from './apt-progress.mjs';

const APT_OPTIONS = ['-o', 'APT::Status-Fd=3', '-o', 'Dpkg::Use-Pty=0', '-o', 'DPkg::Lock::Timeout=300'];
/**
 * Runs its arguments with the status descriptor beside the standard output. It cannot be the standard output itself, for dpkg closes it
 * for the packages' own scripts, some of which then fail; nor come from outside, for sudo closes what it does not know.
 */
const WITH_STATUS_FD = ['sh', '-c', 'exec "$@" 3>&1', 'sh'];
/** What dpkg says of each package that waits for the one that failed. */
const CONSEQUENCE = 'dependency problems - leaving unconfigured';
/** What apt-get says when an earlier installation was stopped half-way; it asks for the command that mends it. */
const INTERRUPTED = 'dpkg was interrupted';
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
 * @param {readonly string[]} command
 * @param {(status: import('./apt-progress.mjs').AptStatus) => void} onStatus
 */
function runApt(prefix, command, onStatus) {
  const settings = Object.entries(APT_ENV).map(([name, value]) => `${name}=${value}`);
  const argv = [...prefix, 'env', ...settings, ...WITH_STATUS_FD, ...command];
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
 * @returns {Promise<{ unavailable: string[], problem: string | null }>} `problem`: why apt failed, in its words
 */
export async function installWithApt(names, { sudo }) {
  const prefix = sudo ? ['sudo'] : [];
  const progress = createProgress(process.stdout);
  /** @type {string[]} */
  const failures = [];
  try {
    const update = await runApt(prefix, ['apt-get', 'update', ...APT_OPTIONS], (status) => {
      if (status.kind === 'download') progress.update('Reading package lists', status.percent);
    });
    const unavailable = await findUnavailable(names);
    const wanted = names.filter((name) => !unavailable.includes(name));
    if (wanted.length === 0) return { unavailable, problem: update.code === 0 ? null : toProblem([], update.tail) };
    const install = () =>
      runApt(prefix, ['apt-get', 'install', ...APT_OPTIONS, '-y', '--no-install-recommends', ...wanted], (status) => {
        if (status.kind !== 'error') progress.update('Installing', toOverallPercent(status));
        else if (!status.text.endsWith(CONSEQUENCE)) failures.push(status.text);
      });
    let ended = await install();
    if (ended.tail.some((line) => line.includes(INTERRUPTED))) {
      progress.update('Finishing an installation that was interrupted', 0);
      await runApt(prefix, ['dpkg', '--configure', '-a'], () => {});
      ended = await install();
    }
    return { unavailable, problem: ended.code === 0 ? null : toProblem(failures, ended.tail) };
  } finally {
    progress.end();
  }
}

/**
 * What failed first, and the last that was said.
 * @param {readonly string[]} failures
 * @param {readonly string[]} tail
 */
function toProblem(failures, tail) {
  const said = tail.filter((line) => toAptStatus(line) === null && !line.endsWith(CONSEQUENCE));
  return [...failures.slice(0, 3), ...said.slice(-5)].join('\n');
}
