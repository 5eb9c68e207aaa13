/** The parts of `npm run check`, the longest first. */
import { join } from 'node:path';
import { ROOT, TSX } from '../start/paths.mjs';
import type { Step } from './run-steps.ts';

function tool(name: string, ...args: string[]): Pick<Step, 'program' | 'args'> {
  return { program: join(ROOT, 'node_modules', '.bin', name), args };
}

function script(name: string, ...args: string[]): Pick<Step, 'program' | 'args'> {
  return { program: process.execPath, args: [TSX, join('scripts', name), ...args] };
}

export const CHECK_STEPS: readonly Step[] = [
  { name: 'format', ...tool('prettier', '--check', '--log-level=warn', '--cache', '.') },
  { name: 'types', ...tool('tsc', '-p', 'tsconfig.json') },
  { name: 'types:web', ...tool('tsc', '-p', 'packages/web/tsconfig.json') },
  { name: 'lint', ...tool('oxlint', '--type-aware', '--deny-warnings', '--report-unused-disable-directives') },
  { name: 'unused', ...tool('knip', '--no-progress') },
  { name: 'imports', ...script('check-imports.ts') },
  { name: 'schema', ...script('schema-dump.ts', '--check') },
  { name: 'openapi', ...script('openapi-dump.ts', '--check') },
  { name: 'settings', ...script('settings-example.ts', '--check') },
  { name: 'readme', ...script('readme-tables.ts', '--check') },
  { name: 'deaths', ...script('death-matrix.ts', '--check') },
  { name: 'invariants', ...script('check-invariants.ts') },
];
