/**
 * Which runtimes a test run is about: `--runtime`, else `TEST_RUNTIMES`, else those of `npm test`. Decides which packages are
 * installed and which files of VM tests run. Plain Node, as nothing is installed yet.
 */
import { RUNTIMES } from '../system-packages.mjs';

export const SETTING = 'TEST_RUNTIMES';

/** The first words of the names of files; `qemu-boot`: the part of qemu's tests that is quick enough for each run. */
const NAMES = [...RUNTIMES, 'qemu-boot'];

/** All of them as far as they are quick: a browser in an emulated machine is a command of its own. */
const DEFAULT = ['process', 'container', 'firecracker', 'qemu-boot'];

/**
 * @param {readonly string[]} argv
 * @param {Readonly<Record<string, string | undefined>>} environment
 * @returns {{ runtimes: string[], rest: string[] }} `rest`: the arguments without `--runtime`. Throws on a name that is none, in words.
 */
export function takeRuntimes(argv, environment) {
  const at = argv.findIndex((word) => word === '--runtime' || word.startsWith('--runtime='));
  const isPair = argv[at] === '--runtime';
  const flag = at < 0 ? undefined : isPair ? (argv[at + 1] ?? '') : (argv[at] ?? '').slice('--runtime='.length);
  const named = flag ?? environment[SETTING];
  const runtimes = named === undefined ? DEFAULT : named.split(',').map((name) => name.trim());
  const unknown = runtimes.find((name) => !NAMES.includes(name));
  if (unknown !== undefined) throw new Error(`There is no runtime "${unknown}" to test. Names: ${NAMES.join(', ')}.`);
  return { runtimes, rest: at < 0 ? [...argv] : argv.toSpliced(at, isPair ? 2 : 1) };
}

/**
 * The runtimes whose packages are needed.
 * @param {readonly string[]} runtimes
 */
export function toPackagedRuntimes(runtimes) {
  return RUNTIMES.filter((runtime) => runtimes.some((name) => name === runtime || name.startsWith(`${runtime}-`)));
}

/**
 * Whether one of them starts its VMs from an image.
 * @param {readonly string[]} runtimes
 */
export function needsImage(runtimes) {
  return runtimes.some((name) => name !== 'process');
}

/**
 * Of files of VM tests those that are about these runtimes, by the first word of their names: `container-….vm.test.ts`. Files about the
 * image run when one of the runtimes starts from it; files about no runtime always.
 * @param {readonly string[]} files
 * @param {readonly string[]} runtimes
 */
export function selectVmFiles(files, runtimes) {
  /** @param {string} base @param {string} word */
  const begins = (base, word) => base.startsWith(`${word}-`) || base.startsWith(`${word}.`);
  return files.filter((file) => {
    const base = file.slice(file.lastIndexOf('/') + 1);
    if (runtimes.some((name) => begins(base, name))) return true;
    if (NAMES.some((name) => begins(base, name))) return false;
    return needsImage(runtimes) || !/^images?[-.]/.test(base);
  });
}
