/** The results as a table for people, and as one line for programs. */
import type { Result } from './case.ts';

const HEAD = ['CLI', 'version', 'way', 'evidence', 's', 'verdict'];
const MAX_EVIDENCE = 150;

export function toTable(results: readonly Result[]): string {
  const rows = results.map(({ cli, version, way, evidence, seconds, ok }) => [
    cli,
    version,
    way,
    toOneLine(evidence),
    seconds.toFixed(1),
    ok ? 'ok' : 'FAILED',
  ]);
  const widths = HEAD.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const toLine = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return [toLine(HEAD), ...rows.map(toLine)].join('\n');
}

export function toJsonLine(results: readonly Result[]): string {
  return JSON.stringify({ ok: results.every(({ ok }) => ok), results });
}

function toOneLine(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length > MAX_EVIDENCE ? `${line.slice(0, MAX_EVIDENCE - 1)}…` : line;
}
