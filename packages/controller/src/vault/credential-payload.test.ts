import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fromPayload, toPayload } from './credential-payload.ts';

const content = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString('base64'));
const files = fc.uniqueArray(
  fc.record({ path: fc.string({ unit: 'binary', minLength: 1, maxLength: 100 }), contentBase64: content }),
  { minLength: 1, maxLength: 16, selector: (file) => file.path },
);

test('known vector', () => {
  const payload = toPayload([
    { path: 'b', contentBase64: 'Yg==' },
    { contentBase64: 'YQ==', path: 'a' },
  ]);
  expect(payload.toString()).toBe(
    '{"version":1,"files":[{"path":"a","contentBase64":"YQ=="},{"path":"b","contentBase64":"Yg=="}]}',
  );
});

test('property: files come back as they were, and in whatever order they are given they are the same bytes', () => {
  fc.assert(
    fc.property(files, (some) => {
      const payload = toPayload(some);
      expect(toPayload(some.toReversed())).toEqual(payload);
      expect(fromPayload(payload).toSorted((a, b) => (a.path < b.path ? -1 : 1))).toEqual(
        some.toSorted((a, b) => (a.path < b.path ? -1 : 1)),
      );
    }),
  );
});

test('the same file twice is refused', () => {
  const file = { path: 'a', contentBase64: '' };
  expect(() => toPayload([file, file])).toThrow('the same file twice');
});

test.each([
  'canary',
  '{"version":2,"files":[{"path":"canary","contentBase64":""}]}',
  '{"version":1,"files":[]}',
  '{"version":1,"files":[{"path":"a","contentBase64":"canary!"}]}',
])('bytes that are no payload fail without being quoted: %s', (text) => {
  const failing = (): unknown => fromPayload(Buffer.from(text));
  expect(failing).toThrow('does not hold credential files');
  expect(failing).not.toThrow('canary');
});
