/**
 * `npm run bench -- click`: from POST /v1/auth-sessions to the moment the live view's page takes a click, cold, on one runtime with the
 * provider `demo`, beside the bare stack of X and Chromium with the same page, in turns. The first turn warms up and is not counted.
 */
import { loadavg } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { createBareStack, type BareRun } from './support/bare-stack.ts';
import { readClickOptions, type ClickOptions } from './support/click-options.ts';
import { COLD_START_STAGES, toColdStart } from './support/cold-start.ts';
import { percentile, round } from './support/measures.ts';
import { findMostAtOnce, type MostAtOnce } from './support/most-at-once.ts';
import { createPageClient, type PageClient } from './support/page-client.ts';
import { MOMENTS, runProduct, type ProductRun } from './support/product-run.ts';
import { startOnRuntime } from './support/runtime-server.ts';
import { readVmMemory, type VmMemory } from './support/vm-memory.ts';

const GOAL = 1.5;
const MEMORY_GOAL_MB = 400;
const PROVIDER = 'demo';

const HELP = `npm run bench -- click [--runtime NAME] [--n COUNT] [--most] [--no-memory] [--rest SECONDS]

Click on Connect -> the page in the live view takes a click, cold, beside the bare stack in the same run.
  --runtime NAME  process (default), container, qemu or firecracker
  --n COUNT       measured turns of each side, at least 10 for a number to publish (default 12)
  --most          then 2, 3, 4, 6, 8, … sign-ins at once, until their median is twice that of one, or one fails
  --no-memory     does not read what one session holds of this machine's memory
  --rest SECONDS  from the painted page to that reading (default 60)

Prints one JSON line. Times are milliseconds: of the product from the POST, of the bare stack from the start of X.
ratio_p50 is the median of the product over that of the bare stack; goal of process ${GOAL} or less.
stages split the product's time: create (the machine's supervisor runs), boot (its agent starts), agent (linked and claimed), display,
browser, page (takes a click); what went on beside an earlier stage counts as 0.
memory is that of all the machine's processes here, each shared page by its share (PSS), and of its control group where it has one.`;

type Measured = { product: ProductRun[]; bare: BareRun[]; memory: VmMemory | null; most: MostAtOnce | null };

async function measure({ runtime, turns, restSeconds, findMost }: ClickOptions): Promise<Measured> {
  const { server, close } = await startOnRuntime(runtime);
  const options = { dataDir: server.dataDir, provider: PROVIDER };
  const bareStack = await createBareStack();
  const [product, bare]: [ProductRun[], BareRun[]] = [[], []];
  try {
    const page = createPageClient(server);
    for (let turn = 0; turn <= turns; turn += 1) {
      const ours = await runProduct(page, options);
      const theirs = await bareStack.run();
      if (turn === 0) continue;
      product.push(ours);
      bare.push(theirs);
    }
    const memory = restSeconds === null ? null : await readAtRest(page, server.dataDir, restSeconds);
    const aloneMs = percentile(
      product.map(({ click }) => click),
      50,
    );
    const most = findMost ? await findMostAtOnce(page, options, aloneMs) : null;
    return { product, bare, memory, most };
  } finally {
    await bareStack.close();
    await close();
  }
}

/** Of one more session, left alone after its click. */
async function readAtRest(page: PageClient, dataDir: string, restSeconds: number): Promise<VmMemory> {
  let memory: VmMemory | null = null;
  const hold = async ({ vmId }: ProductRun): Promise<void> => {
    await delay(restSeconds * 1000);
    memory = readVmMemory(dataDir, vmId);
  };
  await runProduct(page, { dataDir, provider: PROVIDER, hold });
  if (memory === null) throw new Error('the memory was not read');
  return memory;
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

const options = readClickOptions(HELP);
const { product, bare, memory, most } = await measure(options);
const [ours, theirs] = [product, bare].map((runs) => runs.map(({ click }) => click)) as [number[], number[]];
const result = {
  bench: 'click',
  runtime: options.runtime,
  provider: PROVIDER,
  n: options.turns,
  p50_ms: percentile(ours, 50),
  p95_ms: percentile(ours, 95),
  missed_clicks: countMissed(product),
  stages: toMedians(COLD_START_STAGES, product.map(toColdStart)),
  moments: toMedians(MOMENTS, product),
  bare: {
    n: options.turns,
    p50_ms: percentile(theirs, 50),
    p95_ms: percentile(theirs, 95),
    missed_clicks: countMissed(bare),
    moments: toMedians(['x', 'painted', 'click'], bare),
  },
  ratio_p50: round(percentile(ours, 50) / percentile(theirs, 50), 2),
  ...(options.runtime === 'process' && { goal: GOAL }),
  ...(memory !== null && { memory: { after_s: options.restSeconds, ...memory, goal_mb: MEMORY_GOAL_MB } }),
  ...(most !== null && { most }),
  load1: round(loadavg()[0] ?? 0, 1),
};
console.log(JSON.stringify(result));
