/** Sees to the system packages of runtimes. Never stops a start: what cannot be installed is said, with the command. */
import { createInterface } from 'node:readline/promises';
import { listSystemPackages } from '../system-packages.mjs';
import { findMissing, hasApt, installWithApt } from './apt.mjs';
import { runProgram } from './run-program.mjs';
import { planSystemPackages, toAptCommand } from './system-plan.mjs';

const WITHOUT_THEM = 'Starting with what works; the page says which ways to sign in are missing and why.';

/** @param {string} question */
async function askYes(question) {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    const answer = (await terminal.question(`${question} [Y/n] `)).trim().toLowerCase();
    return answer === '' || answer === 'y' || answer === 'yes';
  } catch {
    return false;
  } finally {
    terminal.close();
  }
}

/**
 * @param {readonly string[]} missing
 * @param {boolean} sudo
 */
function printCommand(missing, sudo) {
  console.log(`These system packages are missing: ${missing.join(' ')}. To install them${sudo ? '' : ', as root'}:\n`);
  console.log(`  ${toAptCommand(missing, { sudo })}\n`);
  console.log(WITHOUT_THEM);
}

/**
 * @param {readonly string[]} missing
 * @param {boolean} sudo
 */
async function install(missing, sudo) {
  console.log(`Installing system packages (once): ${missing.join(' ')}…`);
  const { unavailable, problem } = await installWithApt(missing, { sudo });
  if (problem !== null) {
    console.log(`apt-get could not install them. It said:\n${problem}\n`);
    printCommand(await findMissing(missing), sudo);
    return;
  }
  if (unavailable.length > 0) {
    console.log(`This machine's package sources do not offer: ${unavailable.join(' ')}. ${WITHOUT_THEM}`);
  }
}

/**
 * @param {{ yes: boolean, install: boolean, runtimes: readonly string[], more?: readonly string[] }} options `more`: packages besides those of the runtimes
 * @returns {Promise<string[]>} the names that are still missing
 */
export async function installSystemPackages({ runtimes, more = [], ...options }) {
  const names = [...listSystemPackages(runtimes).map(({ name }) => name), ...more];
  if (names.length === 0) return [];
  const apt = await hasApt();
  const missing = apt ? await findMissing(names) : [];
  const plan = planSystemPackages({
    hasApt: apt,
    missing,
    isRoot: process.getuid?.() === 0,
    isTerminal: process.stdin.isTTY && process.stdout.isTTY,
    hasSudo: missing.length > 0 && (await runProgram('sudo', ['--version'])).code === 0,
    ...options,
  });
  switch (plan.kind) {
    case 'nothing':
      return [];
    case 'not_debian':
      console.log(
        `This is not Debian or Ubuntu, so system packages are yours to install; see README.md. ${WITHOUT_THEM}`,
      );
      return names;
    case 'print':
      printCommand(missing, plan.sudo);
      return missing;
    case 'ask': {
      console.log(`Sign-ins in a browser need system packages: ${missing.join(' ')}.`);
      const how = plan.sudo ? 'sudo apt-get' : 'apt-get';
      if (!(await askYes(`Install these with ${how}?`))) {
        printCommand(missing, plan.sudo);
        return missing;
      }
      break;
    }
    case 'install':
      break;
  }
  await install(missing, plan.sudo);
  return findMissing(names);
}
