import { createHash } from 'node:crypto';
import { toHandoverBytes } from '@vestibule/protocol/agent-messages';
import { expect, test } from 'vitest';
import { parseDocument } from './credential-document.ts';
import { toHandover } from './handover.ts';

const file = (path: string, text: string) => {
  const bytes = Buffer.from(text);
  return { path, state: 'complete' as const, bytes, document: parseDocument('json', bytes) };
};
const plan = { files: [{ path: 'a', format: 'json' as const, required: [] }] };

test('carries the exact bytes and a hash that does not depend on the order of the files', () => {
  const [a, b] = [file('a', '{"t": 1}\r\n'), file('b', '{}')];
  const one = toHandover(plan, [a, b], ['files_complete']);
  const other = toHandover(plan, [b, a], ['files_complete']);
  expect(Buffer.from(one.files[0]!.contentBase64, 'base64')).toEqual(a.bytes);
  expect(one.contentHash).toBe(createHash('sha256').update(toHandoverBytes(one.files)).digest('hex'));
  expect(other.contentHash).toBe(one.contentHash);
  expect(other.handoverId).not.toBe(one.handoverId);
});

test.each([
  ['seconds', '1893456000', '2030-01-01T00:00:00.000Z'],
  ['milliseconds', '1893456000000', '2030-01-01T00:00:00.000Z'],
  ['iso8601', '"2030-01-01T01:00:00+01:00"', '2030-01-01T00:00:00.000Z'],
  ['iso8601', '"soon"', null],
  ['seconds', '-1e99', null],
  ['seconds', 'null', null],
] as const)('reads an expiry in %s of %s as %s', (unit, value, expected) => {
  const expiresAt = { file: 'a', field: 'end', unit };
  expect(toHandover({ ...plan, expiresAt }, [file('a', `{"end":${value}}`)], []).expiresAt).toBe(expected);
});

test('names the account when the file does', () => {
  const account = { file: 'a', field: 'user.email' };
  expect(toHandover({ ...plan, account }, [file('a', '{"user":{"email":"ada@x.test"}}')], []).account).toBe(
    'ada@x.test',
  );
  expect(toHandover({ ...plan, account }, [file('a', '{}')], []).account).toBeNull();
});
