import { expect, test } from 'vitest';
import { parsePostmasterFile } from './postmaster-file.ts';

test('a running server is read whole', () => {
  const text = '812\n/d/postgres/data\n1700000000\n5432\n/d/postgres/run\n\n  1234 5\nready   \n';
  expect(parsePostmasterFile(text)).toEqual({ pid: 812, socketFolder: '/d/postgres/run', status: 'ready' });
});

test('a server in its first moment has no socket and no status yet', () => {
  expect(parsePostmasterFile('812\n/d/postgres/data\n1700000000\n5432\n\n')).toEqual({
    pid: 812,
    socketFolder: null,
    status: 'unknown',
  });
});

test('a server without a postmaster, which writes its id negated, counts as running', () => {
  expect(parsePostmasterFile('-812\n/d/postgres/data\n')?.pid).toBe(812);
});

test.each(['', '\n', 'abc\n', '0\n', '1.5\n'])('a file that names no process is no server: %j', (text) => {
  expect(parsePostmasterFile(text)).toBeNull();
});
