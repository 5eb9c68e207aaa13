import { MAX_OUTPUT_CHARS, MAX_OUTPUT_CHUNK_CHARS } from '@vestibule/protocol/agent-messages';
import { expect, test, vi } from 'vitest';
import { createOutputTap } from './output-tap.ts';
import { createSecrets } from './redaction.ts';

function open(quietMs = 20) {
  const secrets = createSecrets();
  const pieces: { n: number; text: string }[] = [];
  const tap = createOutputTap({ secrets, quietMs, post: ({ n, text }) => pieces.push({ n, text }) });
  return { secrets, pieces, tap, text: () => pieces.map((piece) => piece.text).join('') };
}

test('ends lines as a terminal wants it, and leaves those of a terminal as they are', () => {
  const { tap, text } = open();
  tap.open({ isTerminal: false })('one\ntwo\r\n');
  tap.open({ isTerminal: true })('three\r\n\0');
  tap.finish();
  expect(text()).toBe('one\r\ntwo\r\nthree\r\n');
});

test('knows a secret that was told between its writing and its sending', () => {
  const { tap, secrets, text } = open();
  tap.open({ isTerminal: true })('Enter ABCD-1234\r\n');
  secrets.add('ABCD-1234', 4);
  tap.finish();
  expect(text()).toBe('Enter [redacted]\r\n');
});

test('keeps the streams of a CLI apart, so that the one hides no secret of the other', async () => {
  const { tap, text } = open();
  const [out, error] = [tap.open({ isTerminal: false }), tap.open({ isTerminal: false })];
  out('key sk-ant-can');
  error('a warning\n');
  await vi.waitUntil(() => text().includes('warning'));
  out('ary12345\n');
  tap.finish();
  expect(text()).toContain('[redacted]\r\n');
  expect(text()).not.toMatch(/sk-|ary1/);
});

test('shows a question after a while of silence', async () => {
  const { tap, text } = open();
  tap.open({ isTerminal: true })('Continue? ');
  await vi.waitFor(() => expect(text()).toBe('Continue? '));
});

test('cuts long output into pieces between characters, and all of it at its bound, with a word about it', () => {
  const { tap, pieces, text } = open();
  const write = tap.open({ isTerminal: true });
  for (let line = 0; line < 400; line += 1) write(`${'😀 '.repeat(400)}\n`);
  tap.finish();
  write('nothing more\n');
  tap.finish();
  expect(text().length).toBeLessThanOrEqual(MAX_OUTPUT_CHARS);
  expect(text()).toMatch(/\[There was more output; it is not shown\.\]\r\n$/);
  expect(pieces.map(({ n }) => n)).toEqual(pieces.map((_, index) => index + 1));
  for (const piece of pieces.slice(0, -1)) {
    expect(piece.text.length).toBeLessThanOrEqual(MAX_OUTPUT_CHUNK_CHARS);
    expect(encodeURIComponent(piece.text)).not.toBe('');
  }
});
