/** The titles of the tests and groups in a test file, by a real parser; of a parameterised one its template as it is written. */
import { type Expression, type Super, Visitor, parseSync } from 'oxc-parser';

const RUNNERS = new Set(['it', 'test', 'describe']);

/** `it` of `it`, `it.each`, `it.each(rows)` and `test.describe`. */
function findRoot(callee: Expression | Super): string | null {
  switch (callee.type) {
    case 'Identifier':
      return callee.name;
    case 'MemberExpression':
      return findRoot(callee.object);
    case 'CallExpression':
      return findRoot(callee.callee);
    default:
      return null;
  }
}

export function readTestTitles(path: string, source: string): Set<string> {
  const { program, errors } = parseSync(path, source);
  if (errors[0] !== undefined) throw new Error(`${path} does not parse: ${errors[0].message}`);
  const titles = new Set<string>();
  new Visitor({
    CallExpression({ callee, arguments: [first] }) {
      if (first === undefined || !RUNNERS.has(findRoot(callee) ?? '')) return;
      if (first.type === 'Literal' && typeof first.value === 'string') titles.add(first.value);
      if (first.type === 'TemplateLiteral') titles.add(source.slice(first.start + 1, first.end - 1));
    },
  }).visit(program);
  return titles;
}
