/** `npm run bench -- NAME`: runs `bench/NAME.ts` on a built product; a benchmark prints one JSON line. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { requireNode } from './start/node-version.mjs';
import { ROOT, TSX } from './start/paths.mjs';
import { ensureBuilt, ensureNodePackages } from './start/prepare.mjs';
import { runInTerminal } from './start/run-program.mjs';

function listBenches() {
  return readdirSync(join(ROOT, 'bench'))
    .filter((file) => file.endsWith('.ts'))
    .map((file) => file.slice(0, -'.ts'.length));
}

async function main() {
  requireNode();
  const [name = '--help', ...rest] = process.argv.slice(2);
  const help = `npm run bench -- NAME [ARGUMENTS]\n\nNames: ${listBenches().join(', ')}\n`;
  if (name === '--help') {
    process.stdout.write(help);
    return 0;
  }
  if (!/^[\w-]+$/.test(name) || !existsSync(join(ROOT, 'bench', `${name}.ts`))) {
    console.error(`There is no benchmark ${name}.\n\n${help}`);
    return 2;
  }
  await ensureNodePackages({ install: true });
  await ensureBuilt();
  return runInTerminal(process.execPath, [TSX, join('bench', `${name}.ts`), ...rest], { cwd: ROOT });
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
