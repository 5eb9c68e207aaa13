/** Everything that Vestibule says of one session, by the place where it says it: what a person, a program and the operator can read. */
import type { Page } from '@playwright/test';
import { createClient } from '@vestibule/protocol/client';
import { ROUTES } from '@vestibule/protocol/routes';
import { query } from './database.ts';
import type { VestibuleServer } from './vestibule-server.ts';

/** A session's rows, each as the database writes it as text. */
const ROWS = `
  select s::text as row from auth_sessions s where session_id = $1
  union all select e::text from auth_session_events e where session_id = $1
  union all select c::text from provider_credentials c where source_session_id = $1
  union all select v::text from browser_vms v join auth_sessions using (vm_id) where session_id = $1`;

/** The session's whole event stream; it must have ended, so that the stream does. */
async function readEvents(server: VestibuleServer, sessionId: string): Promise<string> {
  const headers = { authorization: `Bearer ${server.token}` };
  return (await fetch(server.origin + ROUTES.events(sessionId), { headers })).text();
}

/**
 * Of a session whose VM is gone. Opens the session's page and the first page, with their folded parts unfolded.
 * @param page signed in as the operator
 */
export async function collectTraces(
  page: Page,
  server: VestibuleServer,
  { sessionId, userId }: { sessionId: string; userId: string },
): Promise<Record<string, string>> {
  const client = createClient({ baseUrl: server.origin, headers: { authorization: `Bearer ${server.token}` } });
  await page.goto(`${server.origin}/sessions/${sessionId}`);
  await page.getByRole('heading', { level: 1 }).first().waitFor();
  for (const summary of await page.locator('summary').all()) await summary.click();
  const sessionPage = `${await page.title()} ${await page.locator('body').innerText()}`;
  await page.goto(server.origin);
  await page.getByRole('heading', { name: 'Tools', exact: true }).waitFor();
  return {
    'session page': sessionPage,
    'first page': await page.locator('body').innerText(),
    'API: session': JSON.stringify(await client.getSession(sessionId)),
    'API: sessions of the user': JSON.stringify(await client.listSessions(userId)),
    'API: timeline': JSON.stringify(await client.getTimeline(sessionId)),
    'API: credentials of the user': JSON.stringify(await client.listCredentials(userId)),
    events: await readEvents(server, sessionId),
    database: (await query<{ row: string }>(server.dataDir, ROWS, [sessionId])).map(({ row }) => row).join('\n'),
    log: server.output(),
  };
}

/** The places that say it. */
export function findPlaces(traces: Record<string, string>, words: RegExp): string[] {
  return Object.entries(traces)
    .filter(([, text]) => words.test(text))
    .map(([place]) => place);
}
