/** Test support: a whole controller in this process, on the `fake` runtime and a test database, used through its HTTP API. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client, createClient } from '@vestibule/protocol/client';
import type { Session, SessionPush } from '@vestibule/protocol/api';
import { sessionPushSchema } from '@vestibule/protocol/api';
import { ROUTES } from '@vestibule/protocol/routes';
import { isTerminal } from '@vestibule/protocol/session';
import { type App, startApp } from './app.ts';
import { loadConfig } from './config.ts';
import { openDataFolder } from './data-folder.ts';
import type { ConnectionConfig } from './db/connection-config.ts';
import type { TestDatabase } from './db/testing.ts';
import { findProductFolder } from './product-folder.ts';
import { createLogger } from './telemetry/logger.ts';

const PATIENCE_MS = 20_000;

export type TestAppOptions = { fakeScript?: Record<string, unknown>; env?: Record<string, string>; dataDir?: string };

export type TestApp = {
  origin: string;
  token: string;
  dataDir: string;
  client: Client;
  /** Every log line so far. */
  logs: string[];
  /** Pushes of the session, from the present state on, until its stream ends or `until` says so. */
  follow(sessionId: string, until?: (session: Session) => boolean): Promise<SessionPush[]>;
  /** The session once it has ended. */
  ended(sessionId: string): Promise<Session>;
  /** Stops the controller; the data folder and its VMs stay. */
  stop(): Promise<void>;
  /** Stops it and removes the data folder. */
  remove(): Promise<void>;
};

function toDatabaseUrl(config: ConnectionConfig): string {
  if ('url' in config) return config.url.reveal();
  return `postgresql://${config.user}@localhost:${config.port}/${config.database}?host=${encodeURIComponent(config.host)}`;
}

async function* readPushes(origin: string, token: string, sessionId: string): AsyncGenerator<SessionPush> {
  const response = await fetch(`${origin}${ROUTES.events(sessionId)}`, {
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  if (!response.ok || response.body === null) throw new Error(`events answered ${response.status}`);
  let text = '';
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
      const block = text.slice(0, end);
      text = text.slice(end + 2);
      const data = block.split('\n').find((line) => line.startsWith('data: '));
      if (block.includes('event: session') && data !== undefined)
        yield sessionPushSchema.parse(JSON.parse(data.slice(6)));
    }
  }
}

export async function startTestApp(database: TestDatabase, options: TestAppOptions = {}): Promise<TestApp> {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'vestibule-app-'));
  const logs: string[] = [];
  // Controllers of one database share one key.
  const masterKeyFile = join(tmpdir(), `${database.name}.master-key`);
  const config = loadConfig({
    VESTIBULE_RUNTIME: 'fake',
    VESTIBULE_PORT: '0',
    VESTIBULE_DATA_DIR: dataDir,
    VESTIBULE_MASTER_KEY_FILE: masterKeyFile,
    VESTIBULE_DEMO: '1',
    VESTIBULE_LOG_LEVEL: 'debug',
    DATABASE_URL: toDatabaseUrl(database.owner),
    VESTIBULE_FAKE_SCRIPT: JSON.stringify({ signIn: 'auto', ...options.fakeScript }),
    ...options.env,
  });
  const folder = openDataFolder(dataDir, null);
  const { logger: log } = createLogger({
    level: config.logLevel,
    destination: { write: (line) => void logs.push(line) },
    readable: false,
  });
  const app: App = await startApp({ config, folder, product: findProductFolder(), log });
  const token = folder.operatorToken.reveal();
  const client = createClient({ baseUrl: app.origin, headers: { authorization: `Bearer ${token}` } });

  async function follow(sessionId: string, until: (session: Session) => boolean = () => false): Promise<SessionPush[]> {
    const pushes: SessionPush[] = [];
    for await (const push of readPushes(app.origin, token, sessionId)) {
      pushes.push(push);
      if (until(push.session)) break;
    }
    return pushes;
  }

  return {
    origin: app.origin,
    token,
    dataDir,
    client,
    logs,
    follow,
    async ended(sessionId) {
      const session = (await follow(sessionId, ({ status }) => isTerminal(status))).at(-1)?.session;
      if (session === undefined || !isTerminal(session.status)) throw new Error(`${sessionId} did not end`);
      return session;
    },
    stop: () => app.close(),
    async remove() {
      await app.close();
      for (const path of [dataDir, masterKeyFile]) rmSync(path, { recursive: true, force: true });
    },
  };
}
