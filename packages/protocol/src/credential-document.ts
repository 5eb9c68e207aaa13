/**
 * A credential file's content as a document, whatever its format, and the look-up of its fields. Pure. The parsers of TOML and YAML are
 * given by whoever reads, for this package has no dependency of its own.
 */
import type { CredentialSpec, FieldReference } from './provider-definition.ts';
import { parseIni } from './ini.ts';

export type CredentialFileSpec = CredentialSpec['files'][number];
export type DocumentFormat = CredentialFileSpec['format'];
export type DocumentParsers = { toml: (text: string) => unknown; yaml: (text: string) => unknown };
export type ParseDocument = (format: DocumentFormat, bytes: Uint8Array) => unknown;

/**
 * Throws when the bytes are not a whole document of that format. The error carries no part of the content:
 * parsers quote the text around a mistake, and that may be a token.
 */
export function createParseDocument(parsers: DocumentParsers): ParseDocument {
  const parse = (format: DocumentFormat, text: string): unknown => {
    switch (format) {
      case 'json':
        return JSON.parse(text);
      case 'toml':
        return parsers.toml(text);
      case 'yaml':
        return parsers.yaml(text);
      case 'ini':
        return parseIni(text);
      case 'text':
        return text;
    }
  };
  return (format, bytes) => {
    try {
      return parse(format, new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    } catch {
      throw new Error(`not a whole ${format} document`);
    }
  };
}

/** The JSON object that a value of another format is (`rclone` keeps its token so in an INI file); null when it is none. */
export function findInnerDocument(value: string): object | null {
  if (!value.trimStart().startsWith('{')) return null;
  try {
    return JSON.parse(value) as object;
  } catch {
    return null;
  }
}

/**
 * The value at `path`, keys joined by dots; a key may itself hold dots, and a value on the way may be JSON as text. `undefined` when there
 * is none.
 */
export function findField(document: unknown, path: string): unknown {
  if (typeof document === 'string') return findField(findInnerDocument(document), path);
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

/** What the reference names in the document of its file; of a JSON Web Token (RFC 7519), a claim, whose signature is not checked. */
export function findReferred(document: unknown, { field, claim }: Pick<FieldReference, 'field' | 'claim'>): unknown {
  const value = findField(document, field);
  if (claim === undefined || typeof value !== 'string') return claim === undefined ? value : undefined;
  const [, payload] = value.split('.');
  if (payload === undefined) return undefined;
  try {
    const text = atob(payload.replaceAll('-', '+').replaceAll('_', '/'));
    const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
    return findField(JSON.parse(new TextDecoder().decode(bytes)), claim);
  } catch {
    return undefined;
  }
}

/** The first required field that is missing or empty; for `text`, the file itself. Null when there is none. */
export function findBlankField(spec: CredentialFileSpec, document: unknown): string | null {
  if (spec.format === 'text') return isBlank(document) ? 'the whole file' : null;
  return spec.required.find((field) => isBlank(findField(document, field))) ?? null;
}

function isBlank(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  if (typeof value === 'string') return value.trim() === '';
  return typeof value === 'object' && !(value instanceof Date) && Object.keys(value).length === 0;
}

/** The format of a file that is referred to: as the reference says, as the credential file of the same path, or by the name's ending. */
export function toReferredFormat(
  { file, format }: FieldReference,
  files: readonly CredentialFileSpec[],
): DocumentFormat {
  if (format !== undefined) return format;
  const same = files.find(({ path }) => path === file);
  if (same !== undefined) return same.format;
  const ending = /\.([a-z]+)$/.exec(file)?.[1];
  switch (ending) {
    case 'json':
    case 'toml':
    case 'yaml':
    case 'ini':
      return ending;
    case 'yml':
      return 'yaml';
    default:
      return 'text';
  }
}
