/** Makes up the files a CLI would have written, from the login plan: every required field, in the file's format, random values. */
import { randomBytes } from 'node:crypto';
import { MAX_CREDENTIAL_BYTES, type CredentialFiles, type LoginPlan } from '@vestibule/protocol/agent-messages';
import type { FakeScript } from './fake-script.ts';

export type FakeCredential = {
  files: CredentialFiles;
  account: string | null;
  expiresAt: string | null;
  accountPlan: string | null;
};

type CredentialPlan = LoginPlan['credential'];
type FilePlan = CredentialPlan['files'][number];
type Leaf = string | number;
type Document = { [key: string]: Leaf | Document };

/** From the moment the credential was made to the end it names. */
export const FAKE_CREDENTIAL_LIFETIME_MS = 3_600_000;

export function toFakeCredential(
  plan: CredentialPlan,
  script: Pick<FakeScript, 'credential' | 'marker'>,
): FakeCredential {
  const account = plan.account === undefined ? null : `${script.marker}person@example.test`;
  const expiresAt = plan.expiresAt === undefined ? null : new Date(Date.now() + FAKE_CREDENTIAL_LIFETIME_MS);
  const files = plan.files.map((file) => {
    const fields = new Map<string, Leaf>(file.required.map((path) => [path, toSecret(script.marker)]));
    const [first] = file.required;
    if (script.credential === 'blank' && first !== undefined) fields.set(first, '');
    if (plan.account?.file === file.path && account !== null) fields.set(plan.account.field, account);
    if (plan.expiresAt?.file === file.path && expiresAt !== null)
      fields.set(plan.expiresAt.field, toMoment(expiresAt, plan.expiresAt.unit));
    const whole = toText(file.format, fields, script);
    return { path: file.path, contentBase64: Buffer.from(spoil(whole, script)).toString('base64') };
  });
  const accountPlan = plan.plan === undefined ? null : 'pro';
  return { files, account, expiresAt: expiresAt?.toISOString() ?? null, accountPlan };
}

const toSecret = (marker: string): string => `${marker}${randomBytes(16).toString('hex')}`;

function toMoment(at: Date, unit: 'seconds' | 'milliseconds' | 'iso8601'): Leaf {
  if (unit === 'iso8601') return at.toISOString();
  return unit === 'seconds' ? Math.floor(at.getTime() / 1000) : at.getTime();
}

function spoil(text: string, { credential, marker }: Pick<FakeScript, 'credential' | 'marker'>): string {
  if (credential === 'half_written') return text.slice(0, Math.ceil(text.length / 2));
  if (credential === 'not_json') return `<html>${marker} is not what was expected</html>`;
  if (credential === 'huge') return text.padEnd(5 * MAX_CREDENTIAL_BYTES, ' ');
  return text;
}

function toText(
  format: FilePlan['format'],
  fields: Map<string, Leaf>,
  script: Pick<FakeScript, 'credential' | 'marker'>,
): string {
  if (format === 'text') return script.credential === 'blank' ? '' : `${toSecret(script.marker)}\n`;
  if (format === 'ini') return toIni(fields);
  const document = toDocument(fields);
  if (format === 'json') return `${JSON.stringify(document, null, 2)}\n`;
  return format === 'toml' ? toToml(document, []) : toYaml(document, '');
}

function toDocument(fields: Map<string, Leaf>): Document {
  const document: Document = {};
  for (const [path, value] of fields) {
    const keys = path.split('.');
    const last = keys.pop() ?? path;
    let at = document;
    for (const key of keys) {
      const next = at[key];
      at = typeof next === 'object' ? next : (at[key] = {});
    }
    at[last] = value;
  }
  return document;
}

function toToml(document: Document, path: readonly string[]): string {
  const entries = Object.entries(document);
  const own = entries.filter(([, value]) => typeof value !== 'object');
  const header = path.length > 0 && own.length > 0 ? `[${path.join('.')}]\n` : '';
  const lines = own.map(([key, value]) => `${key} = ${JSON.stringify(value)}\n`).join('');
  const tables = entries.map(([key, value]) => (typeof value === 'object' ? toToml(value, [...path, key]) : ''));
  return header + lines + tables.join('');
}

function toYaml(document: Document, indent: string): string {
  const lines = Object.entries(document).map(([key, value]) =>
    typeof value === 'object'
      ? `${indent}${key}:\n${toYaml(value, `${indent}  `)}`
      : `${indent}${key}: ${JSON.stringify(value)}\n`,
  );
  return lines.join('');
}

/** `section.key` stands in its section, a key without a dot before the first section. */
function toIni(fields: Map<string, Leaf>): string {
  const sections = new Map<string, string[]>([['', []]]);
  for (const [path, value] of fields) {
    const dot = path.lastIndexOf('.');
    const section = path.slice(0, Math.max(dot, 0));
    sections.set(section, [...(sections.get(section) ?? []), `${path.slice(dot + 1)} = ${value}\n`]);
  }
  return [...sections].map(([name, lines]) => (name === '' ? '' : `[${name}]\n`) + lines.join('')).join('');
}
