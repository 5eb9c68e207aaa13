/** Reads a credential file's content, whatever its format. */
import { createParseDocument } from '@vestibule/protocol/credential-document';
import { parse as parseToml } from 'smol-toml';
import { parse as parseYaml } from 'yaml';

export const parseDocument = createParseDocument({
  toml: parseToml,
  yaml: (text) => parseYaml(text, { maxAliasCount: 10 }) as unknown,
});
