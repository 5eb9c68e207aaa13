import { expect, test } from 'vitest';
import { addCredentialSecrets } from './credential-secrets.ts';
import { createSecrets } from './redaction.ts';

const SECRET = 'opaque.canary.value.4711';

test.each([
  ['a field', { tokens: { access: SECRET } }],
  ['a whole text', `${SECRET}\n`],
  ['JSON within a value', { drive: { token: `{"access":"${SECRET}","kind":"Bearer"}` } }],
])('takes a secret that is %s of the login out of what is printed afterwards', (_, document) => {
  const secrets = createSecrets();
  addCredentialSecrets(secrets, document);
  expect(secrets.redact(`got ${SECRET} now`)).toBe('got [redacted] now');
});
