import { expect, it } from 'vitest';
import { findFacts } from './credential-facts.ts';
import type { CredentialSpec } from './provider-definition.ts';

const toJwt = (claims: object): string =>
  ['{"alg":"none"}', JSON.stringify(claims), 'x'].map((part) => Buffer.from(part).toString('base64url')).join('.');

const FILES: CredentialSpec['files'] = [{ path: 'auth.json', format: 'json', required: [] }];
const ask = (spec: Partial<CredentialSpec>, documents: Record<string, unknown>) =>
  findFacts({ files: FILES, ...spec }, ({ file }) => documents[file]);

it('reads claims of a token, also of keys that hold dots and slashes', () => {
  const token = toJwt({
    email: 'zoë@example.org',
    'https://api.example.test/auth': { plan: 'pro' },
    exp: 1_800_000_000,
  });
  const facts = ask(
    {
      account: { file: 'auth.json', field: 'tokens.id', claim: 'email' },
      plan: { file: 'auth.json', field: 'tokens.id', claim: 'https://api.example.test/auth.plan' },
      expiresAt: { file: 'auth.json', field: 'tokens.id', claim: 'exp', unit: 'seconds' },
    },
    { 'auth.json': { tokens: { id: token } } },
  );
  expect(facts).toEqual({
    account: 'zoë@example.org',
    organization: null,
    accountPlan: 'pro',
    expiresAt: '2027-01-15T08:00:00.000Z',
  });
});

it('reads a file beside the credential', () => {
  const spec = { account: { file: 'who.json', field: 'active' }, organization: { file: 'who.json', field: 'org.id' } };
  const facts = ask(spec, { 'auth.json': {}, 'who.json': { active: ' ada ', org: { id: 'acme' } } });
  expect(facts).toMatchObject({ account: 'ada', organization: 'acme' });
});

it.each([
  ['no token', 'opaque'],
  ['a token of other bytes', 'a.b.c'],
  ['a number', 7],
  ['nothing', undefined],
])('says nothing when the field holds %s', (_, value) => {
  const account = { file: 'auth.json', field: 'token', claim: 'email' };
  expect(ask({ account }, { 'auth.json': { token: value } }).account).toBeNull();
});
