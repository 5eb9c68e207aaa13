/** `tsx scripts/check-invariants.ts`: docs/invariants.md names, for every invariant, mechanisms and tests that exist. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProblems } from './invariants/check.ts';
import { ROOT } from './start/paths.mjs';

const read = (path: string): string | null =>
  existsSync(join(ROOT, path)) ? readFileSync(join(ROOT, path), 'utf8') : null;

const problems = findProblems(read('docs/invariants.md') ?? '', read);
for (const problem of problems) console.error(`docs/invariants.md: ${problem}`);
process.exitCode = problems.length === 0 ? 0 : 1;
