/** `tsx scripts/check-imports.ts [ROOT]`: checks the import rules of the house (scripts/imports/rules.ts) over all packages. */
import { readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { findViolations } from './imports/check.ts';
import { createModuleGraph } from './imports/module-graph.ts';
import { LEAST_MODULES } from './imports/rules.ts';
import { ROOT } from './start/paths.mjs';

/** Source by path from the root, of every module of every package. */
function readSources(root: string): Map<string, string> {
  const sources = new Map<string, string>();
  for (const name of readdirSync(join(root, 'packages')).toSorted()) {
    const folder = `packages/${name}/src`;
    for (const file of readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).toSorted()) {
      if (!/\.tsx?$/.test(file) || file.endsWith('.d.ts')) continue;
      sources.set(`${folder}/${file}`, readFileSync(join(root, folder, file), 'utf8'));
    }
  }
  return sources;
}

const graph = createModuleGraph(readSources(resolve(process.argv[2] ?? ROOT)));
const violations = findViolations(graph);
if (graph.size < LEAST_MODULES) violations.push(`only ${graph.size} modules were read: the check itself is broken`);
for (const violation of violations) console.error(violation);
console.log(`${graph.size} modules, ${violations.length} violations`);
process.exitCode = violations.length === 0 ? 0 : 1;
