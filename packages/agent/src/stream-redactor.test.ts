import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createSecrets } from './redaction.ts';
import { createStreamRedactor } from './stream-redactor.ts';

const SECRETS = ['sk-ant-oat01-Canary', 'eyJhbGciOiJub25l.eyJjYW5hcnkiOjF9.x', 'told-canary-value'];
const TEXT = `Signing in…\r\nKey: ${SECRETS[0]}\r\n\u001b[1m${SECRETS[1]}\u001b[0m and ${SECRETS[2]}, https://a/?state=canary&b=c\nDone? [Y/n] `;
const CLEAN = `Signing in…\r\nKey: [redacted]\r\n\u001b[1m[redacted]\u001b[0m and [redacted], https://a/?state=[redacted]&b=c\nDone? [Y/n] `;

function create() {
  const secrets = createSecrets();
  secrets.add('told-canary-value');
  return createStreamRedactor(secrets);
}

test('gives the same text, and no part of a secret, however it is cut and wherever it pauses', () => {
  const cuts = fc.array(fc.tuple(fc.integer({ min: 1, max: 30 }), fc.constantFrom('take', 'takeQuiet', 'none')), {
    minLength: 1,
    maxLength: 40,
  });
  fc.assert(
    fc.property(cuts, (steps) => {
      const stream = create();
      let given = '';
      let at = 0;
      for (const [size, then] of steps) {
        stream.push(TEXT.slice(at, at + size));
        at += size;
        if (then !== 'none') given += stream[then]();
      }
      stream.push(TEXT.slice(at));
      expect(given + stream.takeAll()).toBe(CLEAN);
    }),
    { numRuns: 500 },
  );
});

test('shows a question that waits for its answer, but not what may be the beginning of a secret', () => {
  const stream = create();
  stream.push('Continue? [Y/n]');
  expect(stream.take()).toBe('');
  expect(stream.holds()).toBe(true);
  expect(stream.takeQuiet()).toBe('Continue? [Y/n]');
  stream.push('\nToken: told-can');
  expect(stream.takeQuiet()).toBe('\nToken: ');
  stream.push('ary-value');
  expect(stream.takeQuiet()).toBe('');
  expect(stream.takeAll()).toBe('[redacted]');
});

test('leaves out a line that has no end', () => {
  const stream = create();
  stream.push('x '.repeat(40_000));
  expect(stream.take()).toBe('[a long line is left out]');
  stream.push('more of it\nnext\n');
  expect(stream.take()).toBe('\nnext\n');
});
