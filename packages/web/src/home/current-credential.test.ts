import type { Credential } from '@vestibule/protocol/api';
import { expect, test } from 'vitest';
import { findCurrentCredential } from './current-credential.ts';

const AT = '2026-11-23T12:00:00.000Z';
function version(number: number, changes: Partial<Credential> = {}): Credential {
  return {
    userId: 'me',
    provider: 'demo',
    account: null,
    version: number,
    source: 'sign_in',
    grade: 'cli_says_so',
    sourceSessionId: null,
    expiresAt: null,
    createdAt: AT,
    revokedAt: null,
    ...changes,
  };
}

test('the newest version counts, in whatever order they come', () => {
  expect(findCurrentCredential([version(2), version(3), version(1)], 'demo')?.version).toBe(3);
});

test('a login that was erased is none, also when an older version was not', () => {
  expect(findCurrentCredential([version(1), version(2, { revokedAt: AT })], 'demo')).toBeNull();
});

test('logins of other providers do not count', () => {
  expect(findCurrentCredential([version(1, { provider: 'wrangler' })], 'demo')).toBeNull();
});
