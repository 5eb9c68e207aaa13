/** Test support: a whole, valid provider definition and its text, with some lines changed. */
import type { ProviderDefinition } from '@vestibule/protocol/provider-definition';
import { formatProblems, parseProviderFile } from './provider-file.ts';

export type DefinitionChange = {
  id?: string;
  name?: string;
  aliases?: string;
  /** Lines below `login:`, without their indentation. */
  login?: string;
  /** Lines at the top level. */
  more?: string;
};

export function toDefinitionText(change: DefinitionChange = {}): string {
  const { id = 'tool', name = 'Tool', aliases = '[]', login = '', more = '' } = change;
  return `id: ${id}
aliases: ${aliases}
name: ${name}
description: A tool for tests.
install:
  kind: npm
  package: some-tool
  version: 1.2.3
  bin: some-tool
login:
  args: [login]
  ${login}
credential:
  files:
    - path: .tool/auth.json
      format: json
      required: [token]
${more}
`;
}

export function toDefinition(change: DefinitionChange = {}): ProviderDefinition {
  const result = parseProviderFile(toDefinitionText(change));
  if (!result.ok) throw new Error(formatProblems('the definition of a test', result.problems));
  return result.definition;
}
