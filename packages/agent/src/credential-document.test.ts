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

test('looks into JSON that is a value of another format', () => {
  const text =
    '[drive]\ntype = drive\ntoken = {"access_token":"a","refresh_token":"","expiry":"2030-01-02T03:04:05Z"}\n';
  const document = parseDocument('ini', Buffer.from(text));
  expect(findField(document, 'drive.token.access_token')).toBe('a');
  expect(findBlankField(spec('ini', 'drive.token', 'drive.token.access_token'), document)).toBeNull();
  expect(findBlankField(spec('ini', 'drive.token.refresh_token'), document)).toBe('drive.token.refresh_token');
  expect(findBlankField(spec('ini', 'drive.type.access_token'), document)).toBe('drive.type.access_token');
});

test.each(['{"access_token":"a', '["a"]', '"a"', 'null', 'a'])('finds no field in a value of %s', (value) => {
  expect(findField({ token: value }, 'token.access_token')).toBeUndefined();
  expect(findField({ token: value }, 'token.length')).toBeUndefined();
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
