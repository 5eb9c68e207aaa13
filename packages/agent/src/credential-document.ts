/** A credential file's content as a document, whatever its format, and the look-up of its fields. Pure. */
import type { LoginPlan } from '@vestibule/protocol/agent-messages';
import { parse as parseToml } from 'smol-toml';
import { parse as parseYaml } from 'yaml';
import { parseIni } from './ini.ts';

export type CredentialSpec = LoginPlan['credential']['files'][number];

/**
 * Throws when the bytes are not a whole document of that format. The error carries no part of the content:
 * parsers quote the text around a mistake, and that may be a token.
 */
export function parseDocument(format: CredentialSpec['format'], bytes: Buffer): unknown {
  try {
    return parse(format, new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new Error(`not a whole ${format} document`);
  }
}

function parse(format: CredentialSpec['format'], text: string): unknown {
  switch (format) {
    case 'json':
      return JSON.parse(text);
    case 'toml':
      return parseToml(text);
    case 'yaml':
      return parseYaml(text, { maxAliasCount: 10 });
    case 'ini':
      return parseIni(text);
    case 'text':
      return text;
  }
}

/** The value at `path`, keys joined by dots; a key may itself hold dots. `undefined` when there is none. */
export function findField(document: unknown, path: string): unknown {
  if (typeof document !== 'object' || document === null) return undefined;
  if (Object.hasOwn(document, path)) return (document as Record<string, unknown>)[path];
  for (let dot = path.indexOf('.'); dot !== -1; dot = path.indexOf('.', dot + 1)) {
    const key = path.slice(0, dot);
    if (!Object.hasOwn(document, key)) continue;
    const found = findField((document as Record<string, unknown>)[key], path.slice(dot + 1));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The first required field that is missing or empty; for `text`, the file itself. Null when there is none. */
export function findBlankField(spec: CredentialSpec, document: unknown): string | null {
  if (spec.format === 'text') return isBlank(document) ? 'the whole file' : null;
  return spec.required.find((field) => isBlank(findField(document, field))) ?? null;
}

function isBlank(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  if (typeof value === 'string') return value.trim() === '';
  return typeof value === 'object' && !(value instanceof Date) && Object.keys(value).length === 0;
}
