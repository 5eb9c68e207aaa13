/**
 * The Debian packages that each runtime needs on this machine: the one list that `npm start`, `npm test` and the documentation read.
 * @typedef {'process' | 'container' | 'qemu' | 'firecracker'} PackagedRuntime
 * @typedef {{ name: string, why: string, meets: string }} SystemPackage `meets`: the requirement of a runtime's preflight
 */

/** @type {readonly SystemPackage[]} */
const NETWORK = [
  { name: 'iproute2', meets: 'network', why: 'a network of its own for each browser VM' },
  { name: 'nftables', meets: 'network', why: 'the way out of that network' },
];

/** What builds the image that all runtimes but `process` start from; `vestibule images build`. @type {readonly SystemPackage[]} */
const IMAGE = [
  { name: 'mmdebstrap', meets: 'image', why: 'makes the image from packages of Debian' },
  { name: 'debian-archive-keyring', meets: 'image', why: 'knows whose packages those are' },
  { name: 'e2fsprogs', meets: 'image', why: 'makes its file system' },
  { name: 'bubblewrap', meets: 'image', why: 'tries what is inside' },
  { name: 'lz4', meets: 'image', why: 'unpacks a kernel' },
  { name: 'zstd', meets: 'image', why: 'unpacks a kernel' },
];

/** @type {Readonly<Record<PackagedRuntime, readonly SystemPackage[]>>} */
const BY_RUNTIME = {
  process: [
    { name: 'chromium', meets: 'chromium', why: 'the browser that people sign in with' },
    { name: 'tigervnc-standalone-server', meets: 'xtigervnc', why: 'the display of a browser VM' },
    { name: 'openbox', meets: 'openbox', why: 'lets the browser follow the size of the page' },
    { name: 'fontconfig', meets: 'fonts', why: 'finds fonts' },
    { name: 'fonts-dejavu-core', meets: 'fonts', why: 'Latin, Greek and Cyrillic letters' },
    { name: 'fonts-noto-core', meets: 'fonts', why: 'most other scripts' },
    { name: 'fonts-noto-color-emoji', meets: 'fonts', why: 'emoji' },
    { name: 'bubblewrap', meets: 'bubblewrap', why: 'walls between a browser VM and this machine' },
    ...NETWORK,
  ],
  container: [
    { name: 'podman', meets: 'container_engine', why: 'runs containers' },
    { name: 'runc', meets: 'container_engine', why: 'starts one' },
    { name: 'conmon', meets: 'container_engine', why: 'watches one' },
    { name: 'netavark', meets: 'container_engine', why: 'podman does not install without one of its kind' },
    ...NETWORK,
    ...IMAGE,
  ],
  qemu: [
    { name: 'qemu-system-x86', meets: 'qemu_programs', why: 'the machine that a browser VM is' },
    { name: 'seabios', meets: 'qemu_programs', why: 'its firmware' },
    { name: 'bubblewrap', meets: 'qemu_programs', why: 'ends it with its supervisor' },
    { name: 'e2fsprogs', meets: 'qemu_programs', why: 'makes the disk that has the command-line tool' },
    ...NETWORK,
    ...IMAGE,
  ],
  // Debian has no package of Firecracker: its two programs are the operator's to install.
  firecracker: [
    { name: 'bubblewrap', meets: 'bubblewrap', why: 'ends a browser VM with its supervisor' },
    ...NETWORK,
    ...IMAGE,
  ],
};

export const RUNTIMES = /** @type {readonly PackagedRuntime[]} */ (Object.keys(BY_RUNTIME));

/** What tests need besides: certificates of an authority of their own, the other end of a tap, a ping. */
export const TEST_PACKAGES = ['openssl', 'socat', 'busybox-static'];

/**
 * Each once, in the order of the lists; none for a runtime that needs none.
 * @param {readonly string[]} runtimes
 * @returns {readonly SystemPackage[]}
 */
export function listSystemPackages(runtimes) {
  const all = flatten(runtimes);
  return all.filter(({ name }, index) => all.findIndex((each) => each.name === name) === index);
}

/** @param {readonly string[]} runtimes */
function flatten(runtimes) {
  return RUNTIMES.filter((runtime) => runtimes.includes(runtime)).flatMap((runtime) => BY_RUNTIME[runtime]);
}

/**
 * What tests of these runtimes may demand of this machine (`REQUIRE`) when these packages are missing and all others are there: by the
 * requirements' ids, and by the runtime's name all that it needs.
 * @param {readonly string[]} missing
 * @param {boolean} isRoot
 * @param {readonly string[]} runtimes
 */
export function findAbilities(missing, isRoot, runtimes) {
  const packages = flatten(runtimes);
  const unmet = new Set(packages.filter(({ name }) => missing.includes(name)).map(({ meets }) => meets));
  // A VM gets a network of its own only from root.
  if (!isRoot) unmet.add('network');
  const met = new Set(packages.map(({ meets }) => meets).filter((id) => !unmet.has(id)));
  const whole = RUNTIMES.filter(
    (runtime) => runtimes.includes(runtime) && BY_RUNTIME[runtime].every(({ meets }) => met.has(meets)),
  );
  return isRoot ? [...met, ...whole, 'root'] : [...met, ...whole];
}
