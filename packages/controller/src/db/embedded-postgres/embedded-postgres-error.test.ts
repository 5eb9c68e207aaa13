import { expect, test } from 'vitest';
import { EmbeddedPostgresError, toProgramError, withFileErrors } from './embedded-postgres-error.ts';

test.each([
  ['ENOSPC', 'disk_full'],
  ['EROFS', 'folder_not_writable'],
  ['EACCES', 'folder_not_writable'],
])('%s says what was tried and what to do', async (code, expected) => {
  const failing = withFileErrors('Making the folder /d', () =>
    Promise.reject(Object.assign(new Error('mkdir failed'), { code })),
  );
  await expect(failing).rejects.toMatchObject({
    code: expected,
    message: expect.stringMatching(/^Making the folder \/d failed: mkdir failed\. \w/) as string,
  });
});

test('an error that is no file-system error passes', async () => {
  const fault = new TypeError('a fault of ours');
  await expect(withFileErrors('Anything', () => Promise.reject(fault))).rejects.toBe(fault);
});

test('what a program said is kept to its last lines, and a full disk is recognised in it', () => {
  const error = toProgramError(
    'initdb',
    `${'chatter\n'.repeat(50)}initdb: error: could not write: No space left on device\n`,
  );
  expect(error).toBeInstanceOf(EmbeddedPostgresError);
  expect(error.code).toBe('disk_full');
  expect(error.message.split('\n').length).toBeLessThan(15);
});
