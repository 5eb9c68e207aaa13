import { expect, test } from 'vitest';
import { SseReader } from './sse-reader.ts';

test('messages come out whole, however the text is torn apart', () => {
  const text =
    'retry: 10\n\nid: 1\nevent: session\ndata: {"a":\ndata: 1}\n\n:\n\nid: 2\r\nevent: end\r\ndata: {}\r\n\r\n';
  const expected = [
    { id: '1', event: 'session', data: '{"a":\n1}' },
    { id: '2', event: 'end', data: '{}' },
  ];
  for (let size = 1; size <= text.length; size += 1) {
    const reader = new SseReader();
    const found = [];
    for (let at = 0; at < text.length; at += size) found.push(...reader.read(text.slice(at, at + size)));
    expect([found, reader.retryMs]).toEqual([expected, 10]);
  }
});

test('a message that was not finished is none', () => {
  expect(new SseReader().read('id: 1\nevent: session\ndata: {}\n')).toEqual([]);
});

test('a message without an id keeps the one before it, and one without a type is a `message`', () => {
  expect(new SseReader().read('id: 7\ndata: a\n\ndata: b\n\n')).toEqual([
    { id: '7', event: 'message', data: 'a' },
    { id: '7', event: 'message', data: 'b' },
  ]);
});
