/** Writes docs/death-matrix.md from the data that the tests walk; with `--check`, fails when it differs. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Cell,
  DEATH_MATRIX,
  type DeathMoment,
  type DeathWay,
  MOMENTS,
  WAYS,
} from '../packages/controller/src/session/testing-death-matrix.ts';
import { toMarkdownTable } from './docs/markdown-table.ts';
import { ROOT } from './start/paths.mjs';

const FILE = join(ROOT, 'docs', 'death-matrix.md');

const INTRODUCTION = `# What becomes of a sign-in when its VM ends

<!-- made by scripts/death-matrix.ts from packages/controller/src/session/testing-death-matrix.ts -->

How a VM ends is a fact about the VM and never decides what became of the sign-in (I3): a session is \`completed\` exactly when its credential
is committed. Every cell is played on the runtime \`fake\` by \`packages/controller/src/app-deaths.pg.test.ts\`, a sample with real kills on
the runtime \`process\` by \`e2e/deaths.e2e.ts\`, and every exit code from 0 to 255 by \`packages/controller/src/app-exit-codes.pg.test.ts\`.`;

const RECORDS = `The record of the VM in each cell: its state in the end, \`exit_code\` and \`exit_reason\`, and whether the timeline's
event \`vm_exited\` calls the end normal. An end before the commit is not normal, also when the session completes all the same: what the agent
sent before is read to its end first. A frozen VM is ended by time: the deadline's, if nothing was stored, then the grace's. A VM
whose host is gone is given up as \`lost\`; nothing is known of its end until the host is back and destroys it.`;

const moments = Object.keys(MOMENTS) as DeathMoment[];
const ways = Object.keys(WAYS) as DeathWay[];

const toOutcome = ({ status, errorCode }: Cell): string =>
  errorCode === null || status === 'timeout' ? status : `${status}: \`${errorCode}\``;

function toGlossary(words: Readonly<Record<string, string>>, head: string): string {
  return toMarkdownTable([[head, 'is'], ...Object.entries(words).map(([key, text]) => [`\`${key}\``, text])]);
}

function toOutcomes(): string {
  const rows = moments.map((moment) => [`\`${moment}\``, ...ways.map((way) => toOutcome(DEATH_MATRIX[moment][way]))]);
  return toMarkdownTable([['moment', ...ways.map((way) => `\`${way}\``)], ...rows]);
}

function toRecords(): string {
  const rows = moments.flatMap((moment) =>
    ways.map((way) => {
      const { vm, exitEvent } = DEATH_MATRIX[moment][way];
      return [`\`${moment}\``, `\`${way}\``, vm.state, String(vm.exitCode ?? '–'), vm.exitReason ?? '–', exitEvent];
    }),
  );
  return toMarkdownTable([['moment', 'way', 'VM', 'code', 'reason', '`vm_exited`'], ...rows]);
}

function toDocument(): string {
  return `${[
    INTRODUCTION,
    '## Ways a VM can end',
    toGlossary(WAYS, 'way'),
    '## Moments',
    toGlossary(MOMENTS, 'moment'),
    '## The session’s outcome',
    toOutcomes(),
    '## The VM’s record',
    RECORDS,
    toRecords(),
  ].join('\n\n')}\n`;
}

function main(argv: readonly string[]): number {
  const document = toDocument();
  if (existsSync(FILE) && readFileSync(FILE, 'utf8') === document) return 0;
  if (!argv.includes('--check')) {
    writeFileSync(FILE, document);
    return 0;
  }
  console.error('docs/death-matrix.md differs from the matrix the tests walk. Run: npx tsx scripts/death-matrix.ts');
  return 1;
}

process.exitCode = main(process.argv.slice(2));
