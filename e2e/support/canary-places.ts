/** Reads what a Vestibule wrote and answers: its log, its events, its API, every column of its database, every file of its data folder. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import pg from 'pg';
import { ROUTES } from '@vestibule/protocol/routes';
import { PORT, toClusterFolder } from '../../packages/controller/src/db/embedded-postgres/cluster-folder.ts';
import { DATABASE, OWNER_ROLE } from '../../packages/controller/src/db/embedded-postgres/server-config.ts';
import type { Place } from './canary-search.ts';
import type { VestibuleServer } from './vestibule-server.ts';

export function toLogPlaces(output: string): Place[] {
  return output
    .split('\n')
    .map((line) => ({ kind: 'log', name: line.startsWith('{"ready"') ? 'the ready line' : 'a line', content: line }));
}

function ask(server: VestibuleServer, path: string): Promise<Response> {
  return fetch(server.origin + path, { headers: { authorization: `Bearer ${server.token}` } });
}

/** A session's whole event stream: resolves when nothing more can happen to its VM. */
export async function followEvents(server: VestibuleServer, sessionId: string): Promise<Place> {
  const answer = await ask(server, ROUTES.events(sessionId));
  return { kind: 'event', name: 'of a subscriber', content: await answer.text() };
}

/** Nothing is offered once a session has ended, and a `fake` machine prints nothing; what is answered then is looked at as well. */
const MAY_BE_EMPTY = ['/v1/auth-sessions/{sessionId}/offer', '/v1/auth-sessions/{sessionId}/machine-log'];

/** What every route answers that is read with GET, as the API's own description lists them. Streams apart. */
export async function readRoutes(
  server: VestibuleServer,
  { sessionId, userId, provider }: { sessionId: string; userId: string; provider: string },
): Promise<Place[]> {
  const description = await ask(server, '/openapi.json');
  const { paths } = (await description.clone().json()) as { paths: Record<string, Record<string, unknown>> };
  const streams = ['/v1/live-view', '/v1/auth-sessions/{sessionId}/events'];
  const routes = Object.keys(paths).filter((path) => 'get' in paths[path]! && !streams.includes(path));
  const answers: (readonly [string, Response])[] = [['/openapi.json', description]];
  for (const route of routes) {
    const path = route.replace('{sessionId}', sessionId).replace('{userId}', userId).replace('{provider}', provider);
    answers.push([route, await ask(server, route === ROUTES.authSessions ? `${path}?userId=${userId}` : path)]);
  }
  return Promise.all(
    answers.map(async ([route, answer]) => {
      if (!answer.ok && !(MAY_BE_EMPTY.includes(route) && answer.status === 404))
        throw new Error(`GET ${route} answered ${answer.status}`);
      const headers = JSON.stringify([...answer.headers]);
      return { kind: 'answer', name: `GET ${route}, by a program`, content: `${headers}\n${await answer.text()}` };
    }),
  );
}

/** Every value of every column of every table of the product, as text; binary ones as their bytes as well. */
export async function readDatabase(dataDir: string): Promise<Place[]> {
  // The tables' owner: the product's own role may not read all of them.
  const pool = new pg.Pool({
    host: toClusterFolder(dataDir).run,
    port: PORT,
    user: OWNER_ROLE,
    database: DATABASE,
    max: 1,
  });
  try {
    const columns = await pool.query<{ table: string; column: string; type: string }>(
      `select table_name as table, column_name as column, data_type as type from information_schema.columns where table_schema = 'public'`,
    );
    const places: Place[] = [];
    for (const { table, column, type } of columns.rows) {
      const name = `${table}.${column}`;
      const read = `select ${pg.escapeIdentifier(column)}::text as value from public.${pg.escapeIdentifier(table)}`;
      for (const { value } of (await pool.query<{ value: string | null }>(read)).rows) {
        if (value === null) continue;
        places.push({ kind: 'database', name, content: value });
        if (type === 'bytea') places.push({ kind: 'database', name, content: Buffer.from(value.slice(2), 'hex') });
      }
    }
    return places;
  } finally {
    await pool.end();
  }
}

/** Every file below a folder, with its path, one at a time as they are large. */
export function* readFiles(folder: string): Generator<Place> {
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const name = relative(folder, path);
    yield { kind: 'file', name, content: readFileSync(path) };
    yield { kind: 'file', name: 'the name of a file', content: name };
  }
}
