/** Writes the README's table of providers from their definitions; with `--check`, fails when it differs. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ProviderDefinition } from '../packages/protocol/src/provider-definition.ts';
import { loadProviders } from '../packages/controller/src/providers/provider-registry.ts';
import { toMarkdownTable } from './docs/markdown-table.ts';
import { ROOT } from './start/paths.mjs';

const README = join(ROOT, 'README.md');
const BEGIN = '<!-- providers: made by scripts/readme-tables.ts -->';
const END = '<!-- /providers -->';

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

function main(argv: readonly string[]): number {
  const text = readFileSync(README, 'utf8');
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`README.md has no place for the table: ${BEGIN} … ${END}`);
  const next = `${text.slice(0, from + BEGIN.length)}\n\n${toProviderTable()}\n\n${text.slice(to)}`;
  if (next === text) return 0;
  if (!argv.includes('--check')) {
    writeFileSync(README, next);
    return 0;
  }
  console.error('The table of providers in README.md differs from providers/. Run: npx tsx scripts/readme-tables.ts');
  return 1;
}

process.exitCode = main(process.argv.slice(2));
