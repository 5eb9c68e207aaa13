/**
 * What a sandbox gets so that its CLI is signed in: the files of the login exactly as they were captured, the files and variables that the
 * definition adds, and the CLI's own restriction. Pure: it writes nothing. The result holds secrets.
 */
import { parse as parseToml } from 'smol-toml';
import { parse as parseYaml } from 'yaml';
import type { CredentialFiles } from '@vestibule/protocol/agent-messages';
import { createParseDocument, findField } from '@vestibule/protocol/credential-document';
import type { CredentialSpec, Delivery, ProviderDefinition } from '@vestibule/protocol/provider-definition';

export type DeliveryRequest = {
  definition: ProviderDefinition;
  /** The opened login. */
  files: CredentialFiles;
  account: string | null;
  organization: string | null;
  /** Whether the session was restricted to an account or organization. */
  isRestricted: boolean;
  /** The sandbox's home and the folder its CLI is started in, absolute. */
  home: string;
  cwd: string;
};

/** `path` is below the home. */
export type DeliveredFile = { path: string; content: Buffer; mode: number };
export type DeliveredLogin = { files: DeliveredFile[]; environment: Record<string, string> };

type FileTemplate = Delivery['files'][number];
type Values = Readonly<Record<'home' | 'cwd' | 'account' | 'organization', string | null>>;

/** For nobody but the sandbox's person. */
const MODE = 0o600;
const parseDocument = createParseDocument({
  toml: parseToml,
  yaml: (text) => parseYaml(text, { maxAliasCount: 10 }) as unknown,
});

/** A file that is part of the login is never changed, though the definition may name it. */
export function toDelivery(request: DeliveryRequest): DeliveredLogin {
  const { files, isRestricted, home, cwd, account, organization } = request;
  const { credential, delivery } = findParts(request.definition, files);
  const values = { home, cwd, account: toOneLine(account), organization: toOneLine(organization) };
  const captured = files.map(({ path, contentBase64 }) => toFile(path, Buffer.from(contentBase64, 'base64')));
  const paths = new Set(captured.map(({ path }) => path));
  // Before the others: what stands at the top of a TOML file must come before its first table.
  const templates = [...(isRestricted ? delivery.restriction : []), ...delivery.files];
  const added = toAddedFiles(
    templates.filter(({ path }) => !paths.has(path)),
    values,
  );
  return {
    files: [...captured, ...added],
    environment: { ...fillEach(delivery.environment, values), ...toSecretEnvironment(delivery, credential, captured) },
  };
}

/** Those of the token's kind when the login is a token in files of its own, else those of the definition. */
function findParts(
  definition: ProviderDefinition,
  files: CredentialFiles,
): { credential: CredentialSpec; delivery: Delivery } {
  const isCaptured = (spec: CredentialSpec): boolean =>
    spec.files.length === files.length && spec.files.every(({ path }) => files.some((file) => file.path === path));
  const kind = definition.ways.token?.kinds.find(
    ({ credential, delivery }) => credential !== undefined && delivery !== undefined && isCaptured(credential),
  );
  return { credential: kind?.credential ?? definition.credential, delivery: kind?.delivery ?? definition.delivery };
}

const toFile = (path: string, content: Buffer): DeliveredFile => ({ path, content, mode: MODE });

/** Values come from files that a CLI wrote: one with a line break could add a line of its own. */
function toOneLine(value: string | null): string | null {
  // eslint-disable-next-line no-control-regex
  return value === null || /[\u0000-\u001f\u007f]/.test(value) ? null : value;
}

/** One file for each path: JSON is merged, lines follow each other. */
function toAddedFiles(templates: readonly FileTemplate[], values: Values): DeliveredFile[] {
  const objects = new Map<string, unknown>();
  const texts = new Map<string, string>();
  for (const { path, format, content } of templates) {
    if (format === 'json') objects.set(path, merge(objects.get(path), fillValue(content, values)));
    else texts.set(path, (texts.get(path) ?? '') + fillLines(String(content), values, format));
  }
  return [
    ...[...objects].map(([path, object]) => toFile(path, Buffer.from(`${JSON.stringify(object, null, 2)}\n`))),
    ...[...texts].map(([path, text]) => toFile(path, Buffer.from(text))),
  ];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function merge(base: unknown, over: unknown): unknown {
  if (!isObject(base) || !isObject(over)) return over;
  const entries = Object.entries(over).map(([key, value]) => [key, merge(base[key], value)] as const);
  return { ...base, ...Object.fromEntries(entries) };
}

const PLACEHOLDER = /\$\{(home|cwd|account|organization)\}/g;

/** `undefined` when a value that it needs is missing. */
function fill(text: string, values: Values, escape = (value: string): string => value): string | undefined {
  let isWhole = true;
  const filled = text.replaceAll(PLACEHOLDER, (_, name: keyof Values) => {
    const value = values[name];
    isWhole &&= value !== null;
    return escape(value ?? '');
  });
  return isWhole ? filled : undefined;
}

/** The escapes of a JSON string are those of a TOML string in double quotes. */
const escapeForToml = (value: string): string => JSON.stringify(value).slice(1, -1);

function fillLines(text: string, values: Values, format: 'toml' | 'text'): string {
  const escape = format === 'toml' ? escapeForToml : undefined;
  const lines = text.split('\n').map((line) => fill(line, values, escape));
  const filled = lines.filter((line) => line !== undefined).join('\n');
  return filled === '' || filled.endsWith('\n') ? filled : `${filled}\n`;
}

/** Of objects and lists, keys too; what needs a missing value is left out. */
function fillValue(value: unknown, values: Values): unknown {
  if (typeof value === 'string') return fill(value, values);
  if (Array.isArray(value))
    return value.map((entry) => fillValue(entry, values)).filter((entry) => entry !== undefined);
  return isObject(value) ? fillEach(value, values) : value;
}

function fillEach<T>(object: Readonly<Record<string, T>>, values: Values): Record<string, T> {
  const entries = Object.entries(object).flatMap(([key, value]) => {
    const [name, filled] = [fill(key, values), fillValue(value, values) as T | undefined];
    return name === undefined || filled === undefined ? [] : [[name, filled] as const];
  });
  return Object.fromEntries(entries);
}

/** A field that is not there gives no variable. */
function toSecretEnvironment(
  { secretEnvironment }: Delivery,
  credential: CredentialSpec,
  captured: readonly DeliveredFile[],
): Record<string, string> {
  const entries = Object.entries(secretEnvironment).flatMap(([name, { file, field }]) => {
    const found = captured.find(({ path }) => path === file);
    const format = credential.files.find(({ path }) => path === file)?.format ?? 'text';
    const document = found && parseDocument(format, found.content);
    const value = field === undefined ? found?.content.toString() : findField(document, field);
    return typeof value === 'string' && value.trim() !== '' ? [[name, value.trim()] as const] : [];
  });
  return Object.fromEntries(entries);
}
