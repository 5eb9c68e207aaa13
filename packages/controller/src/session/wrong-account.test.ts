import { describe, expect, it } from 'vitest';
import { findWrongAccount } from './wrong-account.ts';

const of = (account: string | null, organization: string | null = null) => ({ account, organization });

describe('a login', () => {
  it.each([
    ['anybody', {}, of(null)],
    ['the account', { expectedAccount: 'ada@example.org' }, of('ada@example.org')],
    ['the account in other letters', { expectedAccount: 'Ada@Example.org' }, of('ADA@example.ORG')],
    ['a domain', { allowedDomains: ['example.com', 'Example.org'] }, of('ada@EXAMPLE.org')],
    ['an organization', { organization: 'org_1' }, of(null, 'org_1')],
  ])('that must be of %s and is, is the right one', (_whom, restriction, login) => {
    expect(findWrongAccount(restriction, login)).toBeNull();
  });

  it.each([
    [
      'another account',
      { expectedAccount: 'ada@example.org' },
      of('eve@example.org'),
      /of eve@example\.org, wanted is ada@/,
    ],
    ['nobody it names', { expectedAccount: 'ada@example.org' }, of(null), /does not say whose it is, wanted is ada@/],
    [
      'another domain',
      { allowedDomains: ['example.org'] },
      of('ada@evil.test'),
      /of ada@evil\.test, wanted is an account of/,
    ],
    [
      'a domain below',
      { allowedDomains: ['example.org'] },
      of('ada@mail.example.org'),
      /wanted is an account of example/,
    ],
    [
      'a domain that only ends alike',
      { allowedDomains: ['example.org'] },
      of('ada@notexample.org'),
      /wanted is an account/,
    ],
    ['a domain hidden before another', { allowedDomains: ['example.org'] }, of('ada@example.org@evil.test'), /wanted/],
    ['a name without a domain', { allowedDomains: ['example.org'] }, of('example.org'), /wanted is an account of/],
    [
      'another organization',
      { organization: 'org_1' },
      of('ada@example.org', 'ORG_1'),
      /wanted is the organization org_1/,
    ],
    ['no organization', { organization: 'org_1' }, of('ada@example.org'), /does not say whose it is/],
    [
      'the account of another organization',
      { expectedAccount: 'a@b.c', organization: 'o' },
      of('a@b.c', 'p'),
      /wanted/,
    ],
  ])('of %s is a wrong one, in words', (_whom, restriction, login, words) => {
    expect(findWrongAccount(restriction, login)).toMatch(words);
  });
});
