import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createPromptWatch, findPrompt } from './prompt-watch.ts';

test.each([
  ['an unfinished line', 'Welcome\nDo you trust this folder? ', 'Do you trust this folder?'],
  ['a question whose line has ended', 'Continue? [Y/n]:\n', 'Continue? [Y/n]:'],
  ['a list to choose from', '? Where do you log in?  [Use arrows to move]\n> GitHub.com\n  Other\n', null],
  [
    'a list to choose from with keys',
    'How? (Use arrow keys)\n❯ Google\n  API key\n',
    'How? (Use arrow keys) ❯ Google API key',
  ],
  ['a short mark after its question', 'Paste the code\n> ', 'Paste the code >'],
])('knows %s', (_what, text, prompt) => {
  expect(findPrompt(text.split('\n'), false)).toBe(prompt);
});

test.each(['Opening your browser\n', 'Waiting for the sign-in...', 'Installing… 42 %', 'Waiting…', ''])(
  'takes no work in progress for a question: %j',
  (text) => {
    expect(findPrompt(text.split('\n'), false)).toBeNull();
  },
);

test('expects a CLI to wait once the person was shown how to sign in, but for a question', () => {
  expect(findPrompt(['Waiting for the browser'], true)).toBeNull();
  expect(findPrompt(['Choose an account: '], true)).toBe('Choose an account:');
});

function watchPrompts() {
  const prompts: string[] = [];
  const watch = createPromptWatch({ quietMs: 20, onPrompt: (text) => prompts.push(text) });
  onTestFinished(watch.close);
  return { watch, prompts };
}

test('tells once of each question, and what was typed answers it', async () => {
  const { watch, prompts } = watchPrompts();
  watch.onText('Name? ');
  await vi.waitUntil(() => watch.findOpen() === 'Name?');
  watch.onInput('Ada\n');
  expect(watch.findOpen()).toBeNull();
  await delay(60);
  watch.onText('\nAge? ');
  await vi.waitUntil(() => watch.findOpen() === 'Age?');
  expect(prompts).toEqual(['Name?', 'Age?']);
});

test('more output means that the CLI did not wait', async () => {
  const { watch } = watchPrompts();
  watch.onText('Name? ');
  await vi.waitUntil(() => watch.findOpen() !== null);
  watch.onText('never mind\n');
  expect(watch.findOpen()).toBeNull();
});

test('what is asked along with the sign-in page is known, what is asked later is not', async () => {
  const { watch, prompts } = watchPrompts();
  watch.onText('Paste code here > ');
  watch.onOffered();
  await delay(80);
  expect(prompts).toEqual([]);
  watch.onText('\nWhich organization? ');
  await vi.waitUntil(() => prompts.length > 0);
  expect(prompts).toEqual(['Which organization?']);
});

test('what a person types, as a terminal shows it, is no question', async () => {
  const { watch, prompts } = watchPrompts();
  watch.onText('Name? ');
  await vi.waitUntil(() => watch.findOpen() !== null);
  watch.onInput('Ad');
  watch.onText('Ad');
  await delay(60);
  expect(watch.findOpen()).toBe('Name?');
  watch.onInput('a\r');
  watch.onText('a\r\nAge? ');
  await vi.waitUntil(() => prompts.length === 2);
  expect(prompts[1]).toBe('Age?');
});
