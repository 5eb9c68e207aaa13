/** Decides what to do about missing system packages. Pure: the machine is described, nothing is run. */

/**
 * @typedef {{
 *   hasApt: boolean, missing: readonly string[], isRoot: boolean, isTerminal: boolean, hasSudo: boolean, yes: boolean, install: boolean
 * }} Situation
 * @typedef {{ kind: 'nothing' } | { kind: 'not_debian' } | { kind: 'print' } | { kind: 'ask', sudo: boolean } | { kind: 'install', sudo: boolean }} Plan
 */

/**
 * `sudo` is used only where a person sits at a terminal and has agreed, there or by `--yes`.
 * @param {Situation} situation
 * @returns {Plan}
 */
export function planSystemPackages(situation) {
  if (!situation.hasApt) return { kind: 'not_debian' };
  if (situation.missing.length === 0) return { kind: 'nothing' };
  if (!situation.install) return { kind: 'print' };
  if (!situation.isRoot && !(situation.isTerminal && situation.hasSudo)) return { kind: 'print' };
  const sudo = !situation.isRoot;
  return situation.isTerminal && !situation.yes ? { kind: 'ask', sudo } : { kind: 'install', sudo };
}

/**
 * The exact command a person can run.
 * @param {readonly string[]} names
 */
export function toAptCommand(names) {
  return `sudo apt-get update && sudo apt-get install -y --no-install-recommends ${names.join(' ')}`;
}
