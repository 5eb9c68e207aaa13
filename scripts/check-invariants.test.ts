import { expect, test } from 'vitest';
import { findProblems, INVARIANTS } from './invariants/check.ts';
import { readTestTitles } from './invariants/test-titles.ts';

const FILES: Record<string, string> = {
  'a.sql': 'constraint completed_has_credential check (true)',
  'a.test.ts': `it.each(['x'])('ends as %s', () => undefined); test('completes', () => undefined);`,
};
const readFile = (path: string): string | null => FILES[path] ?? null;

const toSection = (id: string): string => `## ${id}: words

**Why**

Because.

**Enforced by**

- \`a.sql\` \`completed_has_credential\`: in words
  that go on

**Caught by**

- \`a.test.ts\` › completes
- \`a.test.ts\` › ends as %s
`;
const DOCUMENT = INVARIANTS.map(toSection).join('\n');

test('finds nothing wrong where every name is right', () => {
  expect(findProblems(DOCUMENT, readFile)).toEqual([]);
});

test('a test that does not exist under that name is a problem', () => {
  const wrong = DOCUMENT.replace('› completes', '› completes it');
  expect(findProblems(wrong, readFile)).toEqual(['I1: a.test.ts has no test called “completes it”']);
});

test('a missing, an unknown and a repeated invariant are problems', () => {
  const [, ...others] = INVARIANTS;
  const document = [...others, 'I2', 'I13'].map(toSection).join('\n');
  expect(findProblems(document, readFile)).toEqual([
    'I2: it stands there twice',
    'I13: there is no such invariant',
    'I1: it is missing',
  ]);
});

test('an invariant without reason, mechanism or test is a problem', () => {
  const bare = DOCUMENT.replace(toSection('I3'), '## I3: words\n');
  expect(findProblems(bare, readFile)).toEqual([
    'I3: it has no “Why”',
    'I3: it has no “Enforced by”',
    'I3: it has no “Caught by”',
  ]);
});

test('a file that is not there and a constraint that is not in its file are problems', () => {
  const wrong = DOCUMENT.replace('`completed_has_credential`', '`completed_has_nothing`').replace(
    '- `a.test.ts` › completes',
    '- `b.test.ts` › completes',
  );
  expect(findProblems(wrong, readFile)).toEqual([
    'I1: a.sql does not hold completed_has_nothing',
    'I1: its test is in no file: - `b.test.ts` › completes',
  ]);
});

test('titles are read from tests and groups of every kind, and from nothing else', () => {
  const source = `
    describe.concurrent.each([1])('group %s', () => { it('it', () => expect('not this').toBe(1)); });
    test.describe('a group', () => test(\`\${way} at \${moment}\`, async () => undefined));
    it.skipIf(true)('may be skipped', () => undefined);
    log('no test');
  `;
  expect([...readTestTitles('x.test.ts', source)].toSorted()).toEqual(
    ['${way} at ${moment}', 'a group', 'group %s', 'it', 'may be skipped'].toSorted(),
  );
});
