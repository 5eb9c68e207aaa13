/** What the YAML parser says of a text, in words that help who writes a definition. */
import type { YAMLError } from 'yaml';

const HINTS: Partial<Record<YAMLError['code'], string>> = {
  TAB_AS_INDENT: 'indent with blanks: YAML allows no tabs there',
  DUPLICATE_KEY: 'keep one of the two, or put both values into one list',
  MULTIPLE_DOCS: 'one file holds one definition: remove the line "---"',
  BAD_INDENT: 'keys of one block begin in the same column',
  MULTILINE_IMPLICIT_KEY: 'a ":" or a quote may be missing in the line before, or the line is indented too far',
  BLOCK_AS_IMPLICIT_KEY: 'only one ": " in a line: put a value that holds one in quotes',
  MISSING_CHAR: 'a bracket, brace, quote or comma is missing',
  BAD_DQ_ESCAPE: 'in double quotes a backslash begins an escape: use single quotes for regular expressions',
  BAD_SCALAR_START: 'put a value that begins with this character in single quotes',
  BAD_ALIAS: '"*" and "&" begin references: put such a value in single quotes',
  UNEXPECTED_TOKEN: 'put a value with : { } [ ] , # or quotes in it in single quotes',
};

const MESSAGES: Partial<Record<YAMLError['code'], string>> = {
  DUPLICATE_KEY: 'the same key is given twice',
  MULTIPLE_DOCS: 'the file holds more than one document',
};

export function toYamlProblem(error: YAMLError): { message: string; hint: string | null } {
  const said = (error.message.split('\n')[0] ?? '').replace(/ at line \d+, column \d+:?$/, '');
  const isOpenBracket = error.code === 'BAD_INDENT' && said.startsWith('Flow');
  return {
    message: MESSAGES[error.code] ?? `not YAML: ${said}`,
    hint: HINTS[isOpenBracket ? 'MISSING_CHAR' : error.code] ?? null,
  };
}
