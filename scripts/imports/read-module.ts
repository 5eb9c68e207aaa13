/** Reads what one module refers to, with a real parser: imports of every kind, the environment, SQL. Knows no rule. */
import { Visitor, parseSync } from 'oxc-parser';

export type Import = {
  /** As written. */
  specifier: string;
  line: number;
  /** The type checker erases it: it does not exist at run time. */
  isTypeOnly: boolean;
  /** Names taken from the module; `*` for all of it, and for a dynamic import. */
  names: readonly string[];
};

export type Module = {
  imports: readonly Import[];
  /** Lines that read `process.env`. */
  environmentLines: readonly number[];
  /** Lines on which a string holds an SQL statement. */
  sqlLines: readonly number[];
};

const SQL =
  /\b(?:select\s[\s\S]*\sfrom\s|insert\s+into\s|update\s+\w+\s+set\s|delete\s+from\s|(?:create|alter|drop)\s+table\s)/i;

function toLine(source: string, offset: number): number {
  return source.slice(0, offset).split('\n').length;
}

/** Throws when the source does not parse. */
export function readModule(path: string, source: string): Module {
  const { program, module, errors } = parseSync(path, source);
  const [problem] = errors;
  if (problem !== undefined) throw new Error(`${path} does not parse: ${problem.message}`);
  const imports: Import[] = [];
  for (const { moduleRequest, entries, start } of module.staticImports) {
    imports.push({
      specifier: moduleRequest.value,
      line: toLine(source, start),
      isTypeOnly: entries.length > 0 && entries.every((entry) => entry.isType),
      names: entries.map((entry) => entry.importName.name ?? '*'),
    });
  }
  for (const { entries, start } of module.staticExports) {
    for (const { moduleRequest, importName, isType } of entries) {
      if (moduleRequest === null) continue;
      imports.push({
        specifier: moduleRequest.value,
        line: toLine(source, start),
        isTypeOnly: isType,
        names: [importName.name ?? '*'],
      });
    }
  }
  const environmentLines: number[] = [];
  const sqlLines: number[] = [];
  const noteSql = (text: string, start: number): void => {
    if (SQL.test(text)) sqlLines.push(toLine(source, start));
  };
  new Visitor({
    ImportExpression({ source: target, start }) {
      const text = target.type === 'Literal' && typeof target.value === 'string' ? target.value : null;
      const specifier = text ?? `<computed: ${source.slice(target.start, target.end)}>`;
      imports.push({ specifier, line: toLine(source, start), isTypeOnly: false, names: ['*'] });
    },
    TSImportType({ source: target, start }) {
      imports.push({ specifier: target.value, line: toLine(source, start), isTypeOnly: true, names: ['*'] });
    },
    MemberExpression({ object, property, start }) {
      const isProcess = object.type === 'Identifier' && object.name === 'process';
      const name = property.type === 'Identifier' ? property.name : property.type === 'Literal' ? property.value : null;
      if (isProcess && name === 'env') environmentLines.push(toLine(source, start));
    },
    Literal({ value, start }) {
      if (typeof value === 'string') noteSql(value, start);
    },
    TemplateLiteral({ quasis, start }) {
      noteSql(quasis.map((part) => part.value.raw).join('?'), start);
    },
  }).visit(program);
  return { imports, environmentLines, sqlLines };
}
