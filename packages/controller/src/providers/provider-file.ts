/** Reads one provider definition file (YAML) and reports every problem in it at once, with its place. */
import { providerDefinitionSchema, type ProviderDefinition } from '@vestibule/protocol/provider-definition';
import { LineCounter, parseDocument } from 'yaml';

export type ProviderFileProblem = { line: number | null; path: string; message: string };
export type ProviderFileResult =
  { ok: true; definition: ProviderDefinition } | { ok: false; problems: ProviderFileProblem[] };

/** Parses the text of a definition file. Never throws on bad input. */
export function parseProviderFile(text: string): ProviderFileResult {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  if (document.errors.length > 0) {
    const problems = document.errors.map((error) => ({
      line: lines.linePos(error.pos[0]).line,
      path: '',
      message: error.message.split('\n')[0] ?? '',
    }));
    return { ok: false, problems };
  }
  let content: unknown;
  try {
    content = document.toJS();
  } catch (error) {
    // An alias without an anchor, or one that would grow without end.
    return {
      ok: false,
      problems: [{ line: null, path: '', message: error instanceof Error ? error.message : 'unreadable' }],
    };
  }
  const parsed = providerDefinitionSchema.safeParse(content);
  if (parsed.success) return { ok: true, definition: parsed.data };
  const problems = parsed.error.issues.map((issue) => {
    const node: unknown = document.getIn(issue.path as (string | number)[], true);
    const range = (node as { range?: [number, number, number] } | undefined)?.range;
    return { line: range ? lines.linePos(range[0]).line : null, path: issue.path.join('.'), message: issue.message };
  });
  return { ok: false, problems };
}

export function formatProblems(file: string, problems: readonly ProviderFileProblem[]): string {
  return problems
    .map(
      ({ line, path, message }) =>
        `${file}${line === null ? '' : `:${line}`}: ${path === '' ? '' : `${path}: `}${message}`,
    )
    .join('\n');
}
