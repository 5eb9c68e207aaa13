/** Several controllers over one PostgreSQL behind one address, each a process of its own with a data folder and a host of its own. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { createClient, type Client } from '@vestibule/protocol/client';
import { createDatabase, startTestCluster, toTestConfig } from '../../packages/controller/src/db/testing-cluster.ts';
import { findFreePort, startSwitchingProxy, type SwitchingProxy } from './switching-proxy.ts';
import { startVestibule, type VestibuleServer } from './vestibule-server.ts';

const DATABASE = 'controllers';

export class Controller {
  server: VestibuleServer;
  readonly port: number;
  readonly hostId: string;
  /** Of this controller alone, past the common address. */
  readonly client: Client;

  constructor(server: VestibuleServer, port: number) {
    this.server = server;
    this.port = port;
    this.hostId = `host_${readFileSync(join(server.dataDir, 'installation-id'), 'utf8').trim()}`;
    const headers = { authorization: `Bearer ${server.token}` };
    this.client = createClient({ baseUrl: this.origin, headers });
  }

  /** Its own address. */
  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async restart(): Promise<void> {
    this.server = await this.server.restart();
  }
}

export type Controllers = {
  all: readonly [Controller, Controller];
  proxy: SwitchingProxy;
  token: string;
  /** The operator's link at the common address. */
  signInLink: string;
  query<Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]>;
  /** The controller whose host runs the session's VM, and the other one. */
  findOwner(sessionId: string): Promise<{ owner: Controller; other: Controller }>;
  /** New connections reach this controller first, and the others while it is away. */
  prefer(first: Controller): void;
  close(): Promise<void>;
};

/** Two controllers that start at the same time on a database that is empty. */
export async function startControllers(env: Record<string, string>): Promise<Controllers> {
  const releases: (() => Promise<unknown> | void)[] = [];
  const close = async (): Promise<void> => {
    for (const release of releases.splice(0).toReversed()) await release();
  };
  try {
    const cluster = await startTestCluster();
    releases.push(() => cluster.stop());
    await createDatabase(cluster.server, DATABASE, 'template0');
    const { user, host, port } = toTestConfig(cluster.server, 'owner', DATABASE);
    const databaseUrl = `postgresql://${user}@localhost:${port}/${DATABASE}?host=${encodeURIComponent(host)}`;
    const pool = new pg.Pool({ ...toTestConfig(cluster.server, 'app', DATABASE), max: 1 });
    releases.push(() => pool.end());
    const keyFolder = mkdtempSync(join(tmpdir(), 'vestibule-key-'));
    releases.push(() => rmSync(keyFolder, { recursive: true }));
    const proxy = await startSwitchingProxy();
    releases.push(() => proxy.close());
    const token = randomBytes(32).toString('base64url');

    async function start(): Promise<Controller> {
      const ownPort = await findFreePort();
      const own = {
        DATABASE_URL: databaseUrl,
        VESTIBULE_MASTER_KEY_FILE: join(keyFolder, 'master-key'),
        VESTIBULE_OPERATOR_TOKEN: token,
        VESTIBULE_PUBLIC_URL: proxy.origin,
        VESTIBULE_PORT: String(ownPort),
        ...env,
      };
      const controller = new Controller(await startVestibule({ args: ['--demo'], env: own }), ownPort);
      releases.push(() => controller.server.remove());
      return controller;
    }
    const all = await Promise.all([start(), start()]);
    const prefer = (first: Controller): void =>
      proxy.prefer([first.port, ...all.filter((one) => one !== first).map((one) => one.port)]);
    prefer(all[0]);
    const query = async <Row extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<Row[]> =>
      (await pool.query<Row>(text, values)).rows;
    return {
      all,
      proxy,
      token,
      signInLink: `${proxy.origin}/#token=${token}`,
      query,
      async findOwner(sessionId) {
        const [row] = await query<{ host_id: string }>(
          'select host_id from browser_vms join auth_sessions using (vm_id) where session_id = $1',
          [sessionId],
        );
        const [one, two] = all;
        if (row?.host_id === one.hostId) return { owner: one, other: two };
        if (row?.host_id === two.hostId) return { owner: two, other: one };
        throw new Error(`session ${sessionId} has no VM on these hosts`);
      },
      prefer,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
