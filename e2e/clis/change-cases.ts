/** A way changed in the middle, and a login that another attempt must leave as it is (I11). */
import { mkdtempSync, rmSync } from 'node:fs';
import { expect } from '@playwright/test';
import type { Case } from './case.ts';
import { CLI_CHECKS } from './cli-checks.ts';
import { requireCompleted, requireStillCompleted } from './completed.ts';
import { requireSignedIn } from './delivered.ts';
import { openCredential, query } from '../support/database.ts';
import { startJailedCli } from './jailed-cli.ts';
import { waitForLiveView } from '../support/live-view.ts';
import { signInInOwnBrowser, signInWithDeviceCode, waitForOffer } from './sign-ins.ts';
import type { TestBed } from './test-bed.ts';

const CODEX = CLI_CHECKS['codex']!;

async function changeTwice(bed: TestBed): Promise<string> {
  const userId = bed.createUser();
  const { sessionId } = await bed.begin('codex', 'vm_browser', userId);
  await bed.show(sessionId);
  await waitForLiveView(bed.page);
  await waitForOffer(bed, sessionId);
  await changeWay(bed, 'In your own browser');
  await bed.page.getByTestId('sign-in-link').first().waitFor();
  await changeWay(bed, 'With a code, on any device');
  await bed.page.getByTestId('device-code').waitFor();
  await signInWithDeviceCode(bed, sessionId);
  const session = await requireCompleted(bed, sessionId);
  expect(session).toMatchObject({ way: 3, mode: 'device_code', userId });
  const sessions = await bed.client.listSessions(userId);
  expect(sessions).toHaveLength(1);
  const said = await requireSignedIn(bed, session, CODEX);
  await requireStillCompleted(bed, session);
  return `one session, way 3, one version; ${said}`;
}

async function changeWay({ page }: TestBed, name: string): Promise<void> {
  await page.getByRole('button', { name: 'Other way' }).click();
  await page.getByRole('dialog').getByRole('button', { name }).click();
}

/** `codex login` over a login revokes it first; here each attempt starts in an empty home. */
async function signInAgain(bed: TestBed): Promise<string> {
  const userId = bed.createUser();
  const first = await bed.begin('codex', 'own_browser', userId);
  await bed.show(first.sessionId);
  await signInInOwnBrowser(bed, first.sessionId);
  const stored = await requireCompleted(bed, first.sessionId);

  const denied = await bed.begin('codex', 'own_browser', userId);
  await bed.show(denied.sessionId);
  await signInInOwnBrowser(bed, denied.sessionId, 'deny');
  expect(await bed.waitUntilEnded(denied.sessionId)).toMatchObject({ status: 'failed', errorCode: 'sign_in_denied' });
  const aborted = await bed.begin('codex', 'own_browser', userId);
  await waitForOffer(bed, aborted.sessionId);
  await bed.client.cancelSession(aborted.sessionId);
  expect(await bed.waitUntilEnded(aborted.sessionId)).toMatchObject({ status: 'cancelled' });

  const versions = await query(
    bed.server.dataDir,
    `SELECT version, source_session_id, revoked_at FROM provider_credentials WHERE user_id = $1 AND provider = 'codex'`,
    [userId],
  );
  expect(versions).toEqual([{ version: 1, source_session_id: first.sessionId, revoked_at: null }]);
  expect(bed.world.journal().filter(({ type }) => type === 'revoked')).toEqual([]);
  const said = await requireSignedIn(bed, stored, CODEX);
  expect(await refreshCodex(bed, first.sessionId)).toBe('200');
  return `denied and cancelled attempts left version 1, nothing was revoked, its single-use token is taken; ${said}`;
}

/** Uses the stored refresh token as codex would; returns the HTTP status. */
async function refreshCodex({ world, server }: TestBed, sessionId: string): Promise<string> {
  const stored = await openCredential(server.dataDir, sessionId);
  const { tokens } = JSON.parse(String(stored.get('.codex/auth.json'))) as { tokens: { refresh_token: string } };
  const home = mkdtempSync('/var/tmp/vestibule-refresh-');
  const script = `const body = require('node:fs').readFileSync(0, 'utf8');
    fetch('https://auth.openai.com/oauth/token', { method: 'POST', headers: { 'content-type': 'application/json' }, body })
      .then(({ status }) => console.log(status));`;
  const cli = startJailedCli([process.execPath, '-e', script], { world, home });
  cli.write(JSON.stringify({ grant_type: 'refresh_token', refresh_token: tokens.refresh_token }));
  cli.endInput();
  await cli.exited;
  rmSync(home, { recursive: true });
  return cli.output().trim();
}

export const CHANGE_CASES: readonly Case[] = [
  { cli: 'codex', way: 'vm_browser → own_browser → device_code', run: changeTwice },
  { cli: 'codex', way: 'sign in again, denied and cancelled', run: signInAgain },
];
