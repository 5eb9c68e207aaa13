/** What a person and a program are told when something that a sign-in needs is missing on the server. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { createClient } from '@vestibule/protocol/client';
import { startSignIn } from './support/sign-in-pages.ts';
import { startVestibule, type VestibuleServer } from './support/vestibule-server.ts';

const DEFINITION = `id: empty
name: Empty
description: A definition whose package has no such program.
install: { kind: bundled, folder: empty, version: 1.0.0, bin: not-there }
login: {}
credential: { files: [{ path: .empty/login.json, format: json, required: [token] }] }
`;

function toClient(server: VestibuleServer): ReturnType<typeof createClient> {
  return createClient({ baseUrl: server.origin, headers: { authorization: `Bearer ${server.token}` } });
}

test('Chromium missing: the page says which way to sign in is missing, why, and the exact command', async ({
  page,
}) => {
  const server = await startVestibule({ args: ['--demo'], env: { VESTIBULE_BROWSER: '/nowhere/chromium' } });
  try {
    const { requirements } = await toClient(server).listProviders();
    const missing = requirements.filter(({ severity }) => severity === 'missing');
    expect(missing).toHaveLength(1);
    expect(missing[0]?.hint).toMatch(/apt-get install .*chromium|VESTIBULE_BROWSER/);
    await expect(toClient(server).createSession({ userId: 'ada', provider: 'demo' })).rejects.toMatchObject({
      code: 'provider_unavailable',
    });
    await page.goto(server.signInLink);
    await expect(page.getByTestId('missing').first()).toContainText(missing[0]?.title ?? '');
    await expect(page.getByRole('button', { name: 'Connect Demo' })).toBeDisabled();
  } finally {
    await server.remove();
  }
});

test('CLI missing: the session fails with the installer’s words, and nothing of it is left installed', async ({
  page,
}) => {
  const providersDir = mkdtempSync(join(tmpdir(), 'vestibule-providers-'));
  mkdirSync(join(providersDir, 'empty'));
  writeFileSync(join(providersDir, 'empty.yaml'), DEFINITION);
  const server = await startVestibule({ env: { VESTIBULE_PROVIDERS_DIR: providersDir } });
  try {
    await page.goto(server.signInLink);
    await startSignIn(page, 'Empty');
    await expect(page.getByRole('heading', { name: 'The sign-in failed' })).toBeVisible();
    await expect(page.getByTestId('error-message')).toContainText('has no program "not-there"');
    await expect(page.getByRole('button', { name: 'Start again' })).toBeVisible();
    const { providers } = await toClient(server).listProviders();
    expect(providers.find(({ id }) => id === 'empty')).toMatchObject({ installed: false, available: true });
  } finally {
    await server.remove();
    rmSync(providersDir, { recursive: true, force: true });
  }
});
