import { expect, test } from 'vitest';
import { quoteSetting, toPgHbaConf, toPgIdentConf, toPostgresqlConf } from './server-config.ts';

test('quotes and backslashes in a value stay part of it', () => {
  expect(quoteSetting(`it's a \\ path`)).toBe(`'it''s a \\\\ path'`);
});

test('a socket folder with a comma stays one folder', () => {
  const text = toPostgresqlConf('/data, and more/run', { hba: '/h', ident: '/i' });
  expect(text).toContain(`unix_socket_directories = '"/data, and more/run"'`);
});

test('nothing listens on a network address, and nobody but the two roles is let in', () => {
  expect(toPostgresqlConf('/r', { hba: '/h', ident: '/i' })).toContain(`listen_addresses = ''`);
  const rules = toPgHbaConf()
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  expect(rules).toEqual(['local all vestibule_owner,vestibule_app peer map=controller']);
});

test('a user name with a blank stays one name', () => {
  expect(toPgIdentConf('ann b')).toContain(`controller "ann b" vestibule_app\n`);
});
