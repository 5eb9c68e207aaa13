/** Reads one provider definition file (YAML) and reports every problem in it at once, each with its line and what to do. */
import { providerDefinitionSchema, type ProviderDefinition } from '@vestibule/protocol/provider-definition';
import { isMap, isScalar, isSeq, LineCounter, parseDocument, visit, type Document } from 'yaml';
import { toProblems } from './definition-problem.ts';
import { toYamlProblem } from './yaml-problem.ts';

export type ProviderFileProblem = {
  line: number | null;
  path: string;
  message: string;
  /** What to do about it, unless the message says it. */
  hint: string | null;
};
export type ProviderFileResult =
  { ok: true; definition: ProviderDefinition } | { ok: false; problems: ProviderFileProblem[] };

/** Parses the text of a definition file. Never throws on bad input. */
export function parseProviderFile(text: string): ProviderFileResult {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const problems: ProviderFileProblem[] = document.errors.map((error) => ({
    line: lines.linePos(error.pos[0]).line,
    path: '',
    ...toYamlProblem(error),
  }));
  // A key given twice spoils nothing else; after any other mistake the rest would be guesswork.
  if (document.errors.some(({ code }) => code !== 'DUPLICATE_KEY')) return { ok: false, problems };
  const content = toContent(document, lines);
  if ('problem' in content) return { ok: false, problems: [...problems, content.problem] };
  const parsed = providerDefinitionSchema.safeParse(content.value);
  if (parsed.success && problems.length === 0) return { ok: true, definition: parsed.data };
  for (const { path, message, hint } of (parsed.error?.issues ?? []).flatMap((issue) =>
    toProblems(issue, (place) => document.getIn(place)),
  ))
    problems.push({ line: findLine(document, lines, path), path: path.map(String).join('.'), message, hint });
  return { ok: false, problems: problems.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0)) };
}

function toContent(document: Document, lines: LineCounter): { value: unknown } | { problem: ProviderFileProblem } {
  try {
    const value: unknown = document.toJS();
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { value };
    const hint = 'it begins with "id: ", then "name: ", "description: ", "install: ", …';
    return { problem: { line: 1, path: '', message: 'this is no definition', hint } };
  } catch (error) {
    // An alias without an anchor, or aliases that would grow without end.
    const message = error instanceof Error ? error.message : 'unreadable';
    const hint = 'write the values out; a value that begins with * or & needs quotes';
    return { problem: { line: findAliasLine(document, lines), path: '', message, hint } };
  }
}

function findAliasLine(document: Document, lines: LineCounter): number | null {
  let line: number | null = null;
  visit(document, {
    Alias(_key, node) {
      line = lines.linePos(toOffset(node) ?? 0).line;
      return visit.BREAK;
    },
  });
  return line;
}

/** The line of the key or entry at the path; of what would hold it, when it is not there. */
function findLine(document: Document, lines: LineCounter, path: readonly PropertyKey[]): number {
  let node: unknown = document.contents;
  let offset = toOffset(node) ?? 0;
  for (const key of path) {
    const next: unknown = isMap(node)
      ? node.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === String(key))
      : isSeq(node)
        ? node.items[Number(key)]
        : undefined;
    if (next === undefined) break;
    const pair = isMap(node) ? (next as { key: unknown; value: unknown }) : null;
    offset = toOffset(pair === null ? next : pair.key) ?? offset;
    node = pair === null ? next : pair.value;
  }
  return lines.linePos(offset).line;
}

function toOffset(node: unknown): number | undefined {
  return (node as { range?: [number, number, number] | null } | null)?.range?.[0];
}

/** `12: login.io: this value is not known (must be one of …)`. */
export function toProblemText({ line, path, message, hint }: ProviderFileProblem): string {
  const place = `${line === null ? '' : `${line}: `}${path === '' ? '' : `${path}: `}`;
  return `${place}${message}${hint === null ? '' : ` (${hint})`}`;
}

/** A line for each, as compilers print them. */
export function formatProblems(file: string, problems: readonly ProviderFileProblem[]): string {
  return problems.map((problem) => `${file}${problem.line === null ? ': ' : ':'}${toProblemText(problem)}`).join('\n');
}
