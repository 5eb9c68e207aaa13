#!/usr/bin/env node
/**
 * The `vestibule` command in a clone: what was built when that is of the present sources, else the sources through tsx, in this same
 * process, so that signals and the terminal reach it directly.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { TARGETS } from '../../../scripts/build/targets.mjs';
import { isFresh } from '../../../scripts/build/freshness.mjs';
import { areNodePackagesCurrent } from '../../../scripts/start/node-packages.mjs';
import { requireNode } from '../../../scripts/start/node-version.mjs';
import { ROOT } from '../../../scripts/start/paths.mjs';

requireNode();
if (!areNodePackagesCurrent(ROOT)) {
  process.stderr.write(`Node packages are missing or out of date. Run npm ci in ${ROOT}, then try again.\n`);
  process.exit(1);
}
const target = TARGETS.find(({ name }) => name === 'cli');
const isBuilt = target !== undefined && isFresh(ROOT, target);
if (!isBuilt) (await import('tsx/esm/api')).register();
const main = isBuilt ? join(ROOT, 'dist', 'cli', 'main.mjs') : join(ROOT, 'packages', 'cli', 'src', 'main.ts');
await import(pathToFileURL(main).href);
