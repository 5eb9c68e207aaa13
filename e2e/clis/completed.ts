/** That a session is completed and stays so: by the row, by the page opened anew, and after its machine ended with 1. */
import { expect } from '@playwright/test';
import type { Session } from '@vestibule/protocol/api';
import { query, waitUntilGone } from '../support/database.ts';
import { expectConnected } from '../support/sign-in-pages.ts';
import type { TestBed } from './test-bed.ts';

/** Waits for the session's end. Throws with what the person is told and what the CLI wrote when it is another end. */
export async function requireCompleted(bed: TestBed, sessionId: string): Promise<Session> {
  const session = await bed.waitUntilEnded(sessionId);
  if (session.status === 'completed') return session;
  const printed = await bed.readOutput(sessionId);
  throw new Error(`${session.status}, ${session.errorCode}: ${session.errorMessage}\nIts program wrote: ${printed}`);
}

/** The operator's own query, the person's page, and one version of the login, once the machine is gone. */
export async function requireStillCompleted(bed: TestBed, { sessionId, userId, provider }: Session): Promise<void> {
  const end = await waitUntilGone(bed.server.dataDir, sessionId);
  expect(end).toEqual({ state: 'gone', exit_code: 1, exit_reason: 'exited with code 1' });
  const rows = await query(
    bed.server.dataDir,
    'SELECT session_id, provider, status FROM auth_sessions WHERE session_id IN ($1)',
    [sessionId],
  );
  expect(rows).toEqual([{ session_id: sessionId, provider, status: 'completed' }]);
  const sources = await query(
    bed.server.dataDir,
    'SELECT version, source_session_id FROM provider_credentials WHERE user_id = $1 AND provider = $2',
    [userId, provider],
  );
  expect(sources).toEqual([{ version: 1, source_session_id: sessionId }]);
  await bed.show(sessionId);
  await expectConnected(bed.page);
  await bed.page.reload();
  await expectConnected(bed.page);
}
