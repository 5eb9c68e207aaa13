/**
 * `npm run bench -- click`: from POST /v1/auth-sessions to the moment the live view's page takes a click, on the runtime `process` with the
 * provider `demo`, beside the bare stack of X and Chromium with the same page, in turns. The first turn warms up and is not counted.
 */
import { loadavg } from 'node:os';
import { startVestibule } from '../e2e/support/vestibule-server.ts';
import { createBareStack, type BareRun } from './support/bare-stack.ts';
import { percentile, round } from './support/measures.ts';
import { readCount } from './support/options.ts';
import { createPageClient } from './support/page-client.ts';
import { runProduct, STAGES, type ProductRun } from './support/product-run.ts';

const GOAL = 1.5;
const PROVIDER = 'demo';

const HELP = `npm run bench -- click [--n COUNT]

Click on Connect -> the page in the live view takes a click, cold, beside the bare stack in the same run.
  --n COUNT  measured turns of each side, at least 10 for a number to publish (default 12)

Prints one JSON line. Times are milliseconds: of the product from the POST, of the bare stack from the start of X.
ratio_p50 is the median of the product over that of the bare stack; goal ${GOAL} or less.`;

async function measure(turns: number): Promise<{ product: ProductRun[]; bare: BareRun[] }> {
  const server = await startVestibule({ args: ['--demo'], env: { VESTIBULE_GRACE_SECONDS: '0' } });
  const bareStack = await createBareStack();
  const [product, bare]: [ProductRun[], BareRun[]] = [[], []];
  try {
    const page = createPageClient(server);
    for (let turn = 0; turn <= turns; turn += 1) {
      const ours = await runProduct(page, server.dataDir, PROVIDER);
      const theirs = await bareStack.run();
      if (turn === 0) continue;
      product.push(ours);
      bare.push(theirs);
    }
    return { product, bare };
  } finally {
    await bareStack.close();
    await server.remove();
  }
}

function toMedians<Key extends string>(keys: readonly Key[], runs: readonly Partial<Record<Key, number>>[]) {
  const present = keys.flatMap((key) => {
    const values = runs.flatMap((run) => run[key] ?? []);
    return values.length === 0 ? [] : [[key, percentile(values, 50)] as const];
  });
  return Object.fromEntries(present);
}

const countMissed = (runs: readonly { missedClicks: number }[]): number =>
  runs.reduce((sum, { missedClicks }) => sum + missedClicks, 0);

const turns = readCount({ help: HELP, fallback: 12, least: 1 });
const { product, bare } = await measure(turns);
const [ours, theirs] = [product, bare].map((runs) => runs.map(({ click }) => click)) as [number[], number[]];
const result = {
  bench: 'click',
  runtime: 'process',
  provider: PROVIDER,
  n: turns,
  p50_ms: percentile(ours, 50),
  p95_ms: percentile(ours, 95),
  missed_clicks: countMissed(product),
  stages: toMedians(STAGES, product),
  bare: {
    n: turns,
    p50_ms: percentile(theirs, 50),
    p95_ms: percentile(theirs, 95),
    missed_clicks: countMissed(bare),
    stages: toMedians(['x', 'painted', 'click'], bare),
  },
  ratio_p50: round(percentile(ours, 50) / percentile(theirs, 50), 2),
  goal: GOAL,
  load1: round(loadavg()[0] ?? 0, 1),
};
console.log(JSON.stringify(result));
