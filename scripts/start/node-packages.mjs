/** The packages from npm: whether node_modules is what package-lock.json says, and `npm ci` when it is not. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runInTerminal, runProgram } from './run-program.mjs';

/**
 * @typedef {{ version?: string, link?: boolean, optional?: boolean, peer?: boolean, os?: string[], cpu?: string[], libc?: string[] }} LockEntry
 * @typedef {{ packages?: Record<string, LockEntry> }} Lock
 */

/**
 * @param {string} file
 * @returns {Lock | null}
 */
function readLock(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}

/**
 * Whether the entry must be installed on this machine.
 * @param {LockEntry} entry
 * @param {{ platform: string, arch: string }} machine
 */
function isNeeded(entry, machine) {
  if (entry.optional !== true) return true;
  const picky = entry.os !== undefined && entry.cpu !== undefined && entry.libc === undefined;
  return picky && entry.os?.includes(machine.platform) === true && entry.cpu?.includes(machine.arch) === true;
}

/**
 * Names of packages that are locked and not installed in that version. npm writes the record of what it installed
 * (`node_modules/.package-lock.json`) last, so an interrupted installation shows as everything missing.
 * @param {Lock} wanted
 * @param {Lock | null} installed
 * @param {{ platform: string, arch: string }} machine
 */
export function findMissingPackages(wanted, installed, machine) {
  return Object.entries(wanted.packages ?? {})
    .filter(([path, entry]) => path.includes('node_modules/') && isNeeded(entry, machine))
    .filter(([path, entry]) => {
      const found = installed?.packages?.[path];
      return found === undefined || found.version !== entry.version;
    })
    .map(([path]) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length));
}

/** @param {string} root */
export function areNodePackagesCurrent(root) {
  const wanted = readLock(join(root, 'package-lock.json'));
  const installed = readLock(join(root, 'node_modules', '.package-lock.json'));
  if (wanted === null) return installed !== null;
  return findMissingPackages(wanted, installed, { platform: process.platform, arch: process.arch }).length === 0;
}

/**
 * Runs `npm ci`. Development packages are part of it, as the product is built on the machine that runs it.
 * @param {string} root
 * @returns {Promise<void>} rejects with a message for a person
 */
export async function installNodePackages(root) {
  const npm = process.env['npm_execpath'];
  const [program, first] = npm?.endsWith('.js') === true ? [process.execPath, [npm]] : ['npm', []];
  const args = [...first, 'ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  const env = { ...process.env, NODE_ENV: 'development' };
  if (process.stdout.isTTY) {
    const code = await runInTerminal(program, args, { cwd: root, env });
    if (code !== 0)
      throw new Error(`npm ci ended with code ${code}; what it said is above. Check the network and try again.`);
    return;
  }
  const { code, tail } = await runProgram(program, args, { cwd: root, env });
  if (code !== 0) throw new Error(`npm ci ended with code ${code}:\n${tail.join('\n')}`);
}
