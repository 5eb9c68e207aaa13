import { expect, test } from 'vitest';
import { toHintParts } from './hint-parts.ts';

test('a hint that is a command is one', () => {
  expect(toHintParts('sudo apt-get install -y openbox')).toEqual([
    { kind: 'command', text: 'sudo apt-get install -y openbox' },
  ]);
});

test('a command after a colon is told apart from the words before it', () => {
  expect(toHintParts('Install it: apt-get install -y bubblewrap')).toEqual([
    { kind: 'words', text: 'Install it:' },
    { kind: 'command', text: 'apt-get install -y bubblewrap' },
  ]);
});

test('commands in backquotes are found inside a sentence', () => {
  expect(toHintParts('Run `npm start -- --yes`, then reload.')).toEqual([
    { kind: 'words', text: 'Run' },
    { kind: 'command', text: 'npm start -- --yes' },
    { kind: 'words', text: ', then reload.' },
  ]);
});

test('plain advice stays plain', () => {
  const hint = 'Ask whoever runs this server: it needs more memory.';
  expect(toHintParts(hint)).toEqual([{ kind: 'words', text: hint }]);
});
