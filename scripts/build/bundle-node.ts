/** Bundles the programs that run on Node. Who calls decides where the result goes; nothing here knows of `dist/`. */
import { cpSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createRequire } from 'node:module';
import { build } from 'esbuild';

/** Bundled CommonJS packages call `require`, which ES modules lack. */
const REQUIRE_BANNER = `import { createRequire as __createRequire } from 'node:module';\nconst require = __createRequire(import.meta.url);`;

type Bundle = {
  entry: string;
  outfile: string;
  /** Packages that are left out and found in a node_modules folder at run time. */
  external: readonly string[];
};

export async function bundle({ entry, outfile, external }: Bundle): Promise<void> {
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.20',
    external: [...external],
    banner: { js: REQUIRE_BANNER },
    sourcemap: 'linked',
    sourcesContent: false,
    legalComments: 'none',
    logLevel: 'warning',
  });
}

/** The packages from the registry that a package of ours names; packages of this repository are left to be bundled. */
export function findRegistryDependencies(packageFolder: string): string[] {
  const manifest = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')) as {
    dependencies?: Record<string, string>;
  };
  return Object.keys(manifest.dependencies ?? {}).filter((name) => !name.startsWith('@vestibule/'));
}

/** Copies a package with a native part, and the part for this machine, below `folder`, where a bundle beside it finds them. */
export function copyNativePackage(root: string, name: string, folder: string): void {
  const require = createRequire(join(root, 'package.json'));
  const platformName = `${name}-${process.platform}-${process.arch}`;
  for (const part of [name, platformName]) {
    const source = dirname(require.resolve(`${part}/package.json`));
    cpSync(source, join(folder, 'node_modules', part), { recursive: true, dereference: true });
  }
}
