/** What an installation adds to the browser's policy. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { BROWSER_POLICY_FILE, toBrowserPolicy } from './browser-policy.ts';

const dir = mkdtempSync(join(tmpdir(), 'vestibule-policy-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const policyFile = join(dir, 'own.json');
writeFileSync(policyFile, '{ "IncognitoModeAvailability": 1 }');
const read = async (changes: object): Promise<unknown> =>
  JSON.parse(
    (await toBrowserPolicy({ policyFile, extraAuthorities: null, proxy: null, ...changes }))[BROWSER_POLICY_FILE],
  );

it("is the product's own where nothing is added", async () => {
  expect(await read({})).toEqual({ IncognitoModeAvailability: 1 });
});
it('carries each extra certificate authority without its wrapping', async () => {
  const extraAuthorities = ['AA\nBB', 'CC'].map(
    (body) => `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----`,
  );
  expect(await read({ extraAuthorities: extraAuthorities.join('\n') })).toEqual({
    IncognitoModeAvailability: 1,
    CACertificates: ['AABB', 'CC'],
  });
});
it('sends the browser through the proxy', async () => {
  expect(await read({ proxy: { host: '10.1.2.3', port: 3128 } })).toEqual({
    IncognitoModeAvailability: 1,
    ProxySettings: { ProxyMode: 'fixed_servers', ProxyServer: '10.1.2.3:3128' },
  });
});
