/** The made-up credential files in every format a definition may name. */
import { expect, it } from 'vitest';
import { toFakeCredential } from './fake-credential.ts';

const REQUIRED = ['token', 'session.refresh'];
const textOf = (format: 'json' | 'toml' | 'yaml' | 'ini' | 'text'): string => {
  const plan = { files: [{ path: 'auth', format, required: REQUIRED }] };
  const [file] = toFakeCredential(plan, { credential: 'complete', marker: 'canary-' }).files;
  return Buffer.from(file?.contentBase64 ?? '', 'base64')
    .toString()
    .replaceAll(/canary-[0-9a-f]{32}/g, 'SECRET');
};

it.each([
  ['json', '{\n  "token": "SECRET",\n  "session": {\n    "refresh": "SECRET"\n  }\n}\n'],
  ['toml', 'token = "SECRET"\n[session]\nrefresh = "SECRET"\n'],
  ['yaml', 'token: "SECRET"\nsession:\n  refresh: "SECRET"\n'],
  ['ini', 'token = SECRET\n[session]\nrefresh = SECRET\n'],
  ['text', 'SECRET\n'],
] as const)('writes %s with every required field', (format, expected) => {
  expect(textOf(format)).toBe(expected);
});
