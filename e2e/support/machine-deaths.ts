/**
 * A sample of the VM death matrix over real machines: the built controller, the real agent, a CLI that is led step by step, and kills that
 * are the runtime's own.
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { createClient } from '@vestibule/protocol/client';
import { MIGRATED_TEMPLATE, startTestCluster, toTestConfig } from '../../packages/controller/src/db/testing-cluster.ts';
import type { DeathMoment } from '../../packages/controller/src/session/testing-death-matrix.ts';
import { type DeathRig, waitUntil } from '../../packages/controller/src/testing-deaths.ts';
import type { MachineKills } from './machine-kills.ts';
import type { RuntimeUnderTest } from './runtime-under-test.ts';
import { startVestibule, type VestibuleServer } from './vestibule-server.ts';

export type MachineDeaths = { rig: DeathRig; close(): Promise<void> };

const PROVIDERS = fileURLToPath(new URL('../scripted-provider', import.meta.url));
const LOGIN_FILE = '.config/scripted/login.json';

/** What the CLI is told, in order, to bring the sign-in to the moment. */
const LINES: Partial<Record<DeathMoment, readonly string[]>> = {
  awaiting_person: ['open'],
  file_incomplete: ['open', 'half'],
  handover_in_flight: ['open', 'finish'],
  in_grace: ['open', 'finish'],
};

async function begin(server: VestibuleServer, lines: readonly string[], patience: number): Promise<string> {
  const client = createClient({ baseUrl: server.origin, headers: { authorization: `Bearer ${server.token}` } });
  const { sessionId } = await client.createSession({ userId: randomUUID(), provider: 'scripted' });
  const hasCli = async (): Promise<boolean> => (await client.getSession(sessionId)).capabilities.includes('cli');
  await waitUntil('the CLI runs', hasCli, patience);
  for (const line of lines) await client.answer(sessionId, { kind: 'line', text: line });
  return sessionId;
}

/** A controller of that runtime, over a database that outlives its silence. */
export async function openMachineDeaths(
  { env, patience }: RuntimeUnderTest,
  kills: MachineKills,
): Promise<MachineDeaths> {
  const cluster = await startTestCluster();
  const { user, host, port } = toTestConfig(cluster.server, 'owner', MIGRATED_TEMPLATE);
  const keyDir = mkdtempSync(join(tmpdir(), 'vestibule-e2e-key-'));
  const shared = {
    DATABASE_URL: `postgresql://${user}@localhost:${port}/${MIGRATED_TEMPLATE}?host=${encodeURIComponent(host)}`,
    VESTIBULE_MASTER_KEY_FILE: join(keyDir, 'master-key'),
    VESTIBULE_HOLD_SECONDS: '4',
    VESTIBULE_SESSION_SECONDS: '3600',
  };
  const server = await startVestibule({
    env: { ...shared, ...env, VESTIBULE_PROVIDERS_DIR: PROVIDERS },
  });
  const pool = new pg.Pool({ user, host, port, database: MIGRATED_TEMPLATE });
  let other: VestibuleServer | null = null;
  return {
    rig: {
      pool,
      patience,
      begin: (moment) => begin(server, LINES[moment] ?? [], patience),
      async isAt(vmId, moment) {
        return moment !== 'file_incomplete' || kills.hasHomeFile?.(server.dataDir, vmId, LOGIN_FILE) === true;
      },
      async endVm(vmId, way) {
        kills.endVm(server.dataDir, vmId, way);
      },
      async loseHost() {
        process.kill(server.pid, 'SIGSTOP');
        other = await startVestibule({ env: { ...shared, VESTIBULE_RUNTIME: 'fake' } });
      },
    },
    async close() {
      await other?.remove();
      process.kill(server.pid, 'SIGCONT');
      await server.remove();
      await pool.end();
      await cluster.stop();
      rmSync(keyDir, { recursive: true });
    },
  };
}
