/**
 * The Debian packages that the default runtime (`process`) needs on this machine: the one list that `npm start`, `npm test` and the
 * documentation read.
 * @typedef {{ name: string, why: string, meets: string }} SystemPackage `meets`: the requirement of the runtime's preflight
 */

/** @type {readonly SystemPackage[]} */
export const SYSTEM_PACKAGES = [
  { name: 'chromium', meets: 'chromium', why: 'the browser that people sign in with' },
  { name: 'tigervnc-standalone-server', meets: 'xtigervnc', why: 'the display of a browser VM' },
  { name: 'openbox', meets: 'openbox', why: 'lets the browser follow the size of the page' },
  { name: 'fontconfig', meets: 'fonts', why: 'finds fonts' },
  { name: 'fonts-dejavu-core', meets: 'fonts', why: 'Latin, Greek and Cyrillic letters' },
  { name: 'fonts-noto-core', meets: 'fonts', why: 'most other scripts' },
  { name: 'fonts-noto-color-emoji', meets: 'fonts', why: 'emoji' },
  { name: 'bubblewrap', meets: 'bubblewrap', why: 'walls between a browser VM and this machine' },
  { name: 'iproute2', meets: 'network', why: 'a network of its own for each browser VM' },
  { name: 'nftables', meets: 'network', why: 'the way out of that network' },
];

/** What tests need besides: certificates of an authority of their own. */
export const TEST_PACKAGES = ['openssl'];

/**
 * What tests may demand of this machine (`REQUIRE`) when these packages are missing and all others are there.
 * @param {readonly string[]} missing
 * @param {boolean} isRoot
 */
export function findAbilities(missing, isRoot) {
  const unmet = new Set(SYSTEM_PACKAGES.filter(({ name }) => missing.includes(name)).map(({ meets }) => meets));
  // A VM gets a network of its own only from root.
  if (!isRoot) unmet.add('network');
  const met = new Set(SYSTEM_PACKAGES.map(({ meets }) => meets).filter((id) => !unmet.has(id)));
  return isRoot ? [...met, 'root'] : [...met];
}
