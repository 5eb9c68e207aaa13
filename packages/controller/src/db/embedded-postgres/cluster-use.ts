/**
 * Says in the database itself that this process uses the cluster, so that another controller, stopping, leaves the server alone:
 * a shared advisory lock on a connection of its own, which ends with the process, however that ends.
 */
import pg from 'pg';
import type { ConnectionConfig } from '../connection-config.ts';
import { toClientConfig } from '../connection-config.ts';

/** Any number, the same in every release. */
const LOCK = 7_080_118;

export type ClusterUse = {
  /** Ends the use; true when nobody else uses the cluster. A server that is gone is used by nobody. */
  release(): Promise<boolean>;
};

/** Keeps this process alive until `release`. @param onLost called once if the connection ends before. */
export async function holdCluster(config: ConnectionConfig, onLost: () => void): Promise<ClusterUse> {
  const client = new pg.Client({ ...toClientConfig(config), application_name: 'vestibule supervisor' });
  let isReleased = false;
  client.on('error', () => undefined);
  await client.connect();
  client.on('end', () => {
    if (!isReleased) onLost();
  });
  await client.query('select pg_advisory_lock_shared($1)', [LOCK]);
  return {
    async release() {
      isReleased = true;
      try {
        await client.query('select pg_advisory_unlock_shared($1)', [LOCK]);
        const others = await client.query<{ used: boolean }>(
          `select exists (select from pg_locks where locktype = 'advisory' and objid = $1
             and database = (select oid from pg_database where datname = current_database())) as used`,
          [LOCK],
        );
        return others.rows[0]?.used !== true;
      } catch {
        return true;
      } finally {
        await client.end().catch(() => undefined);
      }
    },
  };
}
