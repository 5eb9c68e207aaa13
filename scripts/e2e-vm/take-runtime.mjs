/** Which runtime `npm run e2e:vm` is about. */
import { RUNTIMES } from '../system-packages.mjs';

/**
 * @param {readonly string[]} argv
 * @returns {{ runtime: import('../system-packages.mjs').PackagedRuntime, rest: string[] }} `rest`: the other arguments. Throws in words.
 */
export function takeRuntime(argv) {
  const at = argv.findIndex((word) => word === '--runtime' || word.startsWith('--runtime='));
  const isPair = argv[at] === '--runtime';
  const named = isPair ? argv[at + 1] : argv[at]?.slice('--runtime='.length);
  const runtime = RUNTIMES.find((name) => name === named);
  if (runtime === undefined)
    throw new Error(`Name the runtime: --runtime ${RUNTIMES.join('|')}. See npm run e2e:vm -- --help.`);
  return { runtime, rest: argv.toSpliced(at, isPair ? 2 : 1) };
}
