/** Test support: the text of a whole, valid provider definition, with some lines changed. */
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
