/** Decides what to do about missing system packages. Pure: the machine is described, nothing is run. */

/**
 * @typedef {{
 *   hasApt: boolean, missing: readonly string[], isRoot: boolean, isTerminal: boolean, hasSudo: boolean, yes: boolean, install: boolean
 * }} Situation
 * @typedef {{ kind: 'nothing' } | { kind: 'not_debian' } | { kind: 'print', sudo: boolean } | { kind: 'ask', sudo: boolean } | { kind: 'install', sudo: boolean }} Plan
 */

/**
 * `sudo` is used only where a person sits at a terminal and has agreed, there or by `--yes`.
 * @param {Situation} situation
 * @returns {Plan}
 */
export function planSystemPackages(situation) {
  if (!situation.hasApt) return { kind: 'not_debian' };
  if (situation.missing.length === 0) return { kind: 'nothing' };
  const sudo = !situation.isRoot && situation.hasSudo;
  const mayInstall = situation.isRoot || (situation.isTerminal && sudo);
  if (!situation.install || !mayInstall) return { kind: 'print', sudo };
  return situation.isTerminal && !situation.yes ? { kind: 'ask', sudo } : { kind: 'install', sudo };
}

/**
 * The exact command a person can run: through sudo, or as root.
 * @param {readonly string[]} names
 * @param {{ sudo: boolean }} options
 */
export function toAptCommand(names, { sudo }) {
  const apt = sudo ? 'sudo apt-get' : 'apt-get';
  return `${apt} update && ${apt} install -y --no-install-recommends ${names.join(' ')}`;
}
