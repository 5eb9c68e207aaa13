import { expect, test } from 'vitest';
import { createDialogue } from './dialogue.ts';

const STEPS = [
  { expect: 'Continue? [Y/n]', send: 'y\n' },
  { expect: 'Which account', send: '1\n' },
];

test('answers each question once, in order', () => {
  const sent: string[] = [];
  const { onText } = createDialogue(STEPS, (text) => sent.push(text));
  onText('Welcome. Continue? [Y/n] ');
  onText('Continue? [Y/n] ');
  expect(sent).toEqual(['y\n']);
  onText('Which account do you want?');
  expect(sent).toEqual(['y\n', '1\n']);
});

test('knows a question that arrives in pieces', () => {
  const sent: string[] = [];
  const { onText } = createDialogue(STEPS, (text) => sent.push(text));
  for (const character of 'Continue? [Y/n]') onText(character);
  expect(sent).toEqual(['y\n']);
});

test('does not answer a later question before the earlier one', () => {
  const sent: string[] = [];
  createDialogue(STEPS, (text) => sent.push(text)).onText('Which account do you want?');
  expect(sent).toEqual([]);
});
