import { expect, test } from 'vitest';
import { findCause, type Trouble } from './failure-classifier.ts';

const BASE: Trouble = {
  mode: 'vm_browser',
  failures: [],
  text: '',
  exit: { exitCode: 1, signal: null },
  wasOffered: true,
};

test.each([
  ['Error: getaddrinfo ENOTFOUND auth.openai.com', 'network_dns'],
  ['getaddrinfo EAI_AGAIN oauth2.googleapis.com', 'network_dns'],
  [
    'error sending request for url (https://a/b): client error (Connect): dns error: failed to lookup address information',
    'network_dns',
  ],
  ['dial tcp: lookup github.com: no such host', 'network_dns'],
  ['connect ECONNREFUSED 127.0.0.1:443', 'network_tcp'],
  ['connect ETIMEDOUT 203.0.113.1:443', 'network_tcp'],
  ['connect ENETUNREACH 203.0.113.1:443 - Local (0.0.0.0:0)', 'network_tcp'],
  ['error sending request for url (https://auth.openai.com/oauth/token)', 'network_tcp'],
  ['TypeError: fetch failed', 'network_tcp'],
  ['error connecting to github.com', 'network_tcp'],
  ['Error: SELF_SIGNED_CERT_IN_CHAIN', 'network_tls'],
  ['self-signed certificate in certificate chain', 'network_tls'],
  [
    'error sending request for url (https://a): client error (Connect): invalid peer certificate: UnknownIssuer',
    'network_tls',
  ],
  ['tls: failed to verify certificate: x509: certificate signed by unknown authority', 'network_tls'],
  ['request to https://a/ failed, reason: unable to get local issuer certificate', 'network_tls'],
  ['OAuth error: access_denied', 'sign_in_denied'],
  ['The authorization request was denied.', 'sign_in_denied'],
  ['error: user cancelled', 'sign_in_denied'],
  ['error=unauthorized_client', 'provider_denied'],
  ['Your organization does not allow this application', 'provider_denied'],
  ['Your account is not eligible for this plan', 'provider_denied'],
  ['Token exchange failed: invalid_grant', 'callback_refused'],
  ['OAuth state mismatch. Possible CSRF attack', 'callback_refused'],
  ['request failed with status code 503', 'provider_http'],
  ['HTTP 429: Too Many Requests', 'provider_http'],
  ['token endpoint returned status 500 Internal Server Error: boom', 'provider_http'],
  ['502 Bad Gateway', 'provider_http'],
  ["thread 'main' panicked at src/main.rs:1:2", 'cli_crashed'],
  ['Traceback (most recent call last):', 'cli_crashed'],
  ["Error: Cannot find module 'left-pad'", 'cli_crashed'],
  ['/lib/libc.so.6: version `GLIBC_2.38 not found', 'cli_crashed'],
] as const)('knows the origin of: %s', (line, code) => {
  const cause = findCause({ ...BASE, text: `Signing in\n${line}\n\nbye` });
  expect(cause?.code).toBe(code);
  if (code === 'provider_http') expect(cause?.detail).toMatch(/^HTTP [45]\d\d$/);
  else expect(cause?.detail).toBe(line);
});

test.each([
  '',
  'Signing in\nPlease wait\n',
  'Listening on port 5000',
  'visit http://localhost:4500/callback',
  'Took 404 ms',
])('invents no cause: %j', (text) => {
  expect(findCause({ ...BASE, text })).toBeNull();
});

test('a trace tells where, the line before it tells what', () => {
  const text = 'node:internal:1\n\nError: it broke\n    at main (/opt/cli.js:3:7)\n    at x (/opt/cli.js:9:1)\n';
  expect(findCause({ ...BASE, text })).toEqual({ code: 'cli_crashed', detail: 'Error: it broke' });
});

test('a signal of a crash is one', () => {
  const exit = { exitCode: null, signal: 'SIGSEGV' };
  expect(findCause({ ...BASE, exit })).toEqual({ code: 'cli_crashed', detail: 'signal SIGSEGV' });
  expect(findCause({ ...BASE, exit: { exitCode: null, signal: 'SIGTERM' } })).toBeNull();
});

test("the definition's patterns come first, each for its ways", () => {
  const failures: Trouble['failures'] = [
    { pattern: 'ENOTFOUND', code: 'sign_in_denied', modes: ['token'] },
    { pattern: '^odd: (?:ENOTFOUND)', code: 'cli_wrong_version' },
  ];
  const text = 'odd: ENOTFOUND\n';
  expect(findCause({ ...BASE, failures, text })?.code).toBe('cli_wrong_version');
  expect(findCause({ ...BASE, failures, text, mode: 'token' })?.code).toBe('sign_in_denied');
});

test('a service that could not be reached did not answer, whatever the definition says of that line', () => {
  const failures: Trouble['failures'] = [{ pattern: 'Failed to exchange', code: 'provider_http' }];
  const text = 'Failed to exchange authorization code: getaddrinfo EAI_AGAIN oauth2.googleapis.com';
  expect(findCause({ ...BASE, failures, text })?.code).toBe('network_dns');
  expect(findCause({ ...BASE, failures, text: 'Failed to exchange: 500' })?.code).toBe('provider_http');
});

test('a status means another thing where a token was given, or a code asked for', () => {
  const text = 'request failed with status 403';
  expect(findCause({ ...BASE, text, mode: 'token' })).toEqual({ code: 'token_refused', detail: 'HTTP 403' });
  expect(findCause({ ...BASE, text, mode: 'device_code', wasOffered: false })?.code).toBe('device_code_refused');
  expect(findCause({ ...BASE, text, mode: 'device_code', wasOffered: true })?.code).toBe('provider_http');
  expect(findCause({ ...BASE, text: 'HTTP 500', mode: 'token' })?.code).toBe('provider_http');
});

test('a warning of long ago is not the cause', () => {
  expect(findCause({ ...BASE, text: `ECONNREFUSED\n${'all is well\n'.repeat(400)}` })).toBeNull();
});
