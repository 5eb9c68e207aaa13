import { expect, test } from 'vitest';
import { findBlankField, findField, type CredentialFileSpec } from '@vestibule/protocol/credential-document';
import { parseDocument } from './credential-document.ts';

const spec = (format: CredentialFileSpec['format'], ...required: string[]): CredentialFileSpec => ({
  path: 'f',
  format,
  required,
});

test.each([
  ['json', '{"tokens":{"access":"a"}}', 'tokens.access'],
  ['toml', '[tokens]\naccess = "a"\n', 'tokens.access'],
  ['yaml', 'tokens:\n  access: a\n', 'tokens.access'],
  ['ini', '[tokens]\naccess = a\n', 'tokens.access'],
  ['ini', '//registry.example/:_authToken=a\n', '//registry.example/:_authToken'],
  ['yaml', 'github.com:\n  access: a\n', 'github.com.access'],
] as const)('reads a field of a %s file', (format, text, field) => {
  const document = parseDocument(format, Buffer.from(text));
  expect(findField(document, field)).toBe('a');
  expect(findBlankField(spec(format, field), document)).toBeNull();
});

test.each(['', '   ', null, [], {}, undefined])('calls a required field of %j blank', (value) => {
  expect(findBlankField(spec('json', 'ok', 'token'), { ok: 'x', token: value })).toBe('token');
});

test('calls a date a value', () => {
  const document = parseDocument('toml', Buffer.from('expires = 2030-01-02T03:04:05Z'));
  expect(findBlankField(spec('toml', 'expires'), document)).toBeNull();
});

test('calls a text file of blanks blank', () => {
  expect(findBlankField(spec('text'), ' \n')).toBe('the whole file');
  expect(findBlankField(spec('text'), 'token\n')).toBeNull();
});

test('finds nothing on the prototype', () => {
  expect(findField({}, 'constructor.name')).toBeUndefined();
});

test.each([
  ['json', '{"token":"canary-4711"'],
  ['toml', 'token = "canary-4711'],
  ['yaml', 'token: "canary-4711'],
  ['ini', 'canary-4711'],
] as const)('refuses a half-written %s file without quoting it', (format, text) => {
  let message = '';
  try {
    parseDocument(format, Buffer.from(text));
  } catch (error) {
    message = String(error);
  }
  expect(message).toContain(`not a whole ${format} document`);
  expect(message).not.toContain('canary');
});

test('refuses bytes that are no UTF-8', () => {
  expect(() => parseDocument('text', Buffer.from([0xc3, 0x28]))).toThrow('not a whole text document');
});
