/** Writes the README's tables of providers, from their definitions, and of system packages; with `--check`, fails when one differs. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ProviderDefinition } from '../packages/protocol/src/provider-definition.ts';
import { loadProviders } from '../packages/controller/src/providers/provider-registry.ts';
import { toMarkdownTable } from './docs/markdown-table.ts';
import { ROOT } from './start/paths.mjs';
import { listSystemPackages, RUNTIMES } from './system-packages.mjs';

const README = join(ROOT, 'README.md');

function toProgram({ id, install }: ProviderDefinition): string {
  switch (install.kind) {
    case 'npm':
      return `${install.package} ${install.version} from npm`;
    case 'debian':
      return `${install.package} ${install.version} from Debian`;
    case 'bundled':
      return id === 'demo'
        ? 'shipped with Vestibule, offered with `--demo`'
        : `${install.bin} ${install.version}, put there by the operator`;
  }
}

function toProviderTable(): string {
  const rows = loadProviders([join(ROOT, 'providers')])
    .list()
    .map(({ definition }) => [
      `\`${definition.id}\``,
      definition.untested ? `${definition.name} (untested)` : definition.name,
      toProgram(definition),
      definition.modes.map((mode) => `\`${mode}\``).join(', '),
    ]);
  return toMarkdownTable([['id', 'name', 'program', 'ways to sign in'], ...rows]);
}

function toPackageTable(): string {
  const rows = RUNTIMES.map((runtime) => [
    `\`${runtime}\``,
    listSystemPackages([runtime])
      .map(({ name }) => name)
      .join(', '),
  ]);
  return toMarkdownTable([['runtime', 'Debian packages'], ...rows]);
}

const TABLES: Readonly<Record<string, () => string>> = { providers: toProviderTable, packages: toPackageTable };

function fillIn(text: string, name: string, table: string): string {
  const [begin, end] = [`<!-- ${name}: made by scripts/readme-tables.ts -->`, `<!-- /${name} -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`README.md has no place for the table: ${begin} … ${end}`);
  return `${text.slice(0, from + begin.length)}\n\n${table}\n\n${text.slice(to)}`;
}

function main(argv: readonly string[]): number {
  const text = readFileSync(README, 'utf8');
  const next = Object.entries(TABLES).reduce((filled, [name, toTable]) => fillIn(filled, name, toTable()), text);
  if (next === text) return 0;
  if (!argv.includes('--check')) {
    writeFileSync(README, next);
    return 0;
  }
  console.error(
    'A table in README.md differs from providers/ or scripts/system-packages.mjs. Run: npx tsx scripts/readme-tables.ts',
  );
  return 1;
}

process.exitCode = main(process.argv.slice(2));
