/**
 * Whether docs/invariants.md still tells the truth: every invariant has its reason, mechanisms that are where it says, and tests that
 * exist under the names it gives. Pure: files are read by what the caller hands in.
 */
import { readTestTitles } from './test-titles.ts';

export const INVARIANTS = Array.from({ length: 12 }, (_, index) => `I${index + 1}`);

const PARTS = ['Why', 'Enforced by', 'Caught by'] as const;
/** A list item that begins with a path: `- ‘path’ rest`. */
const ITEM = /^- `([^`]+)`\s*(.*)$/;

/** Null when there is no such file. */
export type ReadFile = (path: string) => string | null;

/** The lines of each part of a section, by the part's name; a list item that goes on in the next line is one. */
function toParts(section: string): Map<string, string[]> {
  const parts = new Map<string, string[]>();
  let lines: string[] = [];
  for (const line of section.split('\n')) {
    const [, name] = /^\*\*(.+)\*\*$/.exec(line) ?? [];
    if (name !== undefined) parts.set(name, (lines = []));
    else if (line.startsWith('  ')) lines.push(`${lines.pop() ?? ''} ${line.trim()}`);
    else if (line.trim() !== '') lines.push(line);
  }
  return parts;
}

/** Every further name in backticks must stand in the file. */
function checkMechanism(line: string, readFile: ReadFile): string[] {
  const [, path = '', rest = ''] = ITEM.exec(line) ?? [];
  const text = path === '' ? null : readFile(path);
  if (text === null) return [`its mechanism is in no file: ${line}`];
  const names = [...rest.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
  return names.filter((name) => !text.includes(name)).map((name) => `${path} does not hold ${name}`);
}

function checkTest(line: string, readFile: ReadFile): string[] {
  const [, path = '', rest = ''] = ITEM.exec(line) ?? [];
  const title = rest.replace(/^› /, '');
  const text = path === '' ? null : readFile(path);
  if (text === null) return [`its test is in no file: ${line}`];
  return readTestTitles(path, text).has(title) ? [] : [`${path} has no test called “${title}”`];
}

function checkSection(section: string, readFile: ReadFile): string[] {
  const parts = toParts(section);
  const missing = PARTS.filter((part) => (parts.get(part) ?? []).length === 0).map((part) => `it has no “${part}”`);
  const mechanisms = (parts.get('Enforced by') ?? []).flatMap((line) => checkMechanism(line, readFile));
  return [...missing, ...mechanisms, ...(parts.get('Caught by') ?? []).flatMap((line) => checkTest(line, readFile))];
}

/** Each problem as one line; none when all is true. */
export function findProblems(document: string, readFile: ReadFile): string[] {
  const sections = new Map<string, string>();
  const problems: string[] = [];
  for (const section of document.split(/^## /m).slice(1)) {
    const [id = ''] = section.split(/[\s:]/, 1);
    if (sections.has(id)) problems.push(`${id}: it stands there twice`);
    if (!INVARIANTS.includes(id)) problems.push(`${id}: there is no such invariant`);
    sections.set(id, section);
  }
  for (const id of INVARIANTS) {
    const section = sections.get(id);
    const found = section === undefined ? ['it is missing'] : checkSection(section, readFile);
    problems.push(...found.map((problem) => `${id}: ${problem}`));
  }
  return problems;
}
