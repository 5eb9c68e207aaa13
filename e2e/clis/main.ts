/**
 * `npm run e2e:clis -- [--only codex] [--way device_code] [--layers FOLDER] [--json]`: the real CLIs, unmodified, by every way to sign in
 * that each offers, in the real product, against the fake identity provider. Needs root. Prints a table; ends with 1 when one case fails.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { GOOD_BEHAVIOUR } from '../identity-provider/behaviour.ts';
import type { Case, Result } from './case.ts';
import { CHANGE_CASES } from './change-cases.ts';
import { FAILURE_CASES } from './failure-cases.ts';
import { toJsonLine, toTable } from './result-table.ts';
import { SUCCESS_CASES } from './success-cases.ts';
import { createTestBed, loadDefinition, ROOT, type TestBed } from './test-bed.ts';

const HELP = `npm run e2e:clis -- [ARGUMENTS]

--only CLI       only this CLI: claude_code, codex, gemini_cli, wrangler, gh, npm, scripted
--way WORDS      only ways that contain these words: own_browser, "consent denied"
--layers FOLDER  where the CLIs are kept from run to run (default test-results/clis-layers)
--json           closes with one line of JSON
`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      way: { type: 'string' },
      layers: { type: 'string', default: join(ROOT, 'test-results', 'clis-layers') },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  if (process.geteuid?.() !== 0) throw new Error('only root can do this: a browser VM gets a network of its own.');
  const cases = [...SUCCESS_CASES, ...CHANGE_CASES, ...FAILURE_CASES].filter(
    ({ cli, way }) => (values.only ?? cli) === cli && way.includes(values.way ?? ''),
  );
  if (cases.length === 0) throw new Error('No case fits --only and --way.');
  const bed = await createTestBed(values.layers);
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void bed.close().finally(() => process.exit(1)));
  try {
    const results = await runAll(bed, cases);
    console.log(`\n${toTable(results)}`);
    if (values.json) console.log(toJsonLine(results));
    return results.every(({ ok }) => ok) ? 0 : 1;
  } finally {
    await bed.close();
  }
}

async function runAll(bed: TestBed, cases: readonly Case[]): Promise<Result[]> {
  const results: Result[] = [];
  for (const one of cases) {
    await bed.world.behave(GOOD_BEHAVIOUR);
    const result = await runCase(bed, one);
    results.push(result);
    if (!result.ok) await keepPicture(bed, one);
    const words = result.ok ? 'ok' : `FAILED\n${result.evidence}`;
    console.log(`${one.cli} ${one.way}: ${words} (${result.seconds.toFixed(1)} s)`);
  }
  return results;
}

/** What the operator's page showed when the case failed. */
async function keepPicture({ page }: TestBed, { cli, way }: Case): Promise<void> {
  const name = `${cli} ${way}`.replaceAll(/[^\w]+/g, '-');
  await page.screenshot({ path: join(ROOT, 'test-results', 'clis', `${name}.png`) }).catch(() => undefined);
}

async function runCase(bed: TestBed, { cli, way, run }: Case): Promise<Result> {
  const { install } = loadDefinition(cli);
  const startedAt = performance.now();
  const outcome = await run(bed).then(
    (evidence) => ({ evidence, ok: true }),
    (error: unknown) => ({ evidence: error instanceof Error ? error.message : String(error), ok: false }),
  );
  const seconds = (performance.now() - startedAt) / 1000;
  return { cli, version: install.version, way, seconds, ...outcome };
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
