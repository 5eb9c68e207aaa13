/** Reads provider definition files and tells every problem of each, with its line and what to do: as lines, or as JSON for programs. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ProviderDefinition } from '@vestibule/protocol/provider-definition';
import { formatProblems, type ProviderFileProblem } from './provider-file.ts';
import { readProviderFile } from './provider-folder.ts';

const HELP = `vestibule providers check [--json] FILE...

Reads provider definition files and tells every problem of each. docs/providers.md explains what such a file says.
`;

type CheckedFile = {
  file: string;
  provider: { id: string; name: string; modes: readonly string[] } | null;
  problems: readonly ProviderFileProblem[];
};

function check(file: string): CheckedFile {
  const result = readProviderFile(file);
  if (!result.ok) return { file, provider: null, problems: result.problems };
  const { id, name, modes } = result.definition;
  return { file, provider: { id, name, modes }, problems: findBundleProblems(file, result.definition) };
}

/** A bundled program stands beside the file; it is missed only when it is installed. */
function findBundleProblems(file: string, { install }: ProviderDefinition): ProviderFileProblem[] {
  if (install.kind !== 'bundled' || existsSync(join(dirname(file), install.folder))) return [];
  const message = `there is no folder "${install.folder}" beside this file`;
  return [{ line: null, path: 'install.folder', message, hint: 'put the program there, or correct the name' }];
}

function toText({ file, provider, problems }: CheckedFile): string {
  if (problems.length > 0 || provider === null) return formatProblems(file, problems);
  return `${file}: fine: ${provider.id} (${provider.name}), ways to sign in: ${provider.modes.join(', ')}`;
}

export type FileCheck = { exitCode: number; stdout: string; stderr: string };

/** Exit code 0 when all files are fine, 1 when one is not, 2 when it was called wrongly. */
export function checkFiles(argv: readonly string[]): FileCheck {
  const files = argv.filter((word) => !word.startsWith('-'));
  const unknown = argv.filter((word) => word.startsWith('-') && !['--json', '--help', '-h'].includes(word));
  if (argv.includes('--help') || argv.includes('-h')) return { exitCode: 0, stdout: HELP, stderr: '' };
  if (unknown.length > 0) return { exitCode: 2, stdout: '', stderr: `There is no ${unknown.join(', ')}.\n\n${HELP}` };
  if (files.length === 0) return { exitCode: 2, stdout: '', stderr: HELP };
  const checked = files.map(check);
  const text = argv.includes('--json') ? JSON.stringify(checked, null, 2) : checked.map(toText).join('\n');
  return { exitCode: checked.some(({ problems }) => problems.length > 0) ? 1 : 0, stdout: `${text}\n`, stderr: '' };
}
