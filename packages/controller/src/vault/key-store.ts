/** The rows of `vault_keys`, and which keys the stored versions are sealed with. Holds no key. */
import type { Pool } from 'pg';
import { withTransaction } from '../db/database.ts';
import type { Sql } from '../db/sql.ts';

export type KeyState = 'active' | 'retired';

export type KeyUse = {
  states: ReadonlyMap<string, KeyState>;
  /** Keys of versions that still have their ciphertext. */
  inUse: ReadonlySet<string>;
};

/** Any number, the same in every release. */
const LOCK = 7_080_002;

async function readUse(sql: Sql): Promise<KeyUse> {
  const keys = await sql.query<{ key_id: string; state: KeyState; in_use: boolean }>(
    `select k.key_id, k.state, exists (
       select from provider_credentials p where p.key_id = k.key_id and p.encrypted_data is not null) as in_use
     from vault_keys k`,
  );
  return {
    states: new Map(keys.rows.map((row) => [row.key_id, row.state])),
    inUse: new Set(keys.rows.filter((row) => row.in_use).map((row) => row.key_id)),
  };
}

/** For an operator whose key is lost for good, while nothing is sealed with it. */
export function toRetireStatement(keyId: string): string {
  return `update vault_keys set state = 'retired' where key_id = '${keyId}'`;
}

export type KeyStoreDeps = { pool: Pool };

export type KeyStore = ReturnType<typeof createKeyStore>;

export function createKeyStore(deps: KeyStoreDeps) {
  return {
    /** No key is active and nothing is sealed: only then may a new key be made. */
    async isUnused(): Promise<boolean> {
      const { states, inUse } = await readUse(deps.pool);
      return inUse.size === 0 && ![...states.values()].includes('active');
    },

    /**
     * Makes the key active, unless `judge` throws on what it is shown. Starters with different keys take turns, so that the second
     * is shown the first one's key.
     */
    async register(keyId: string, judge: (use: KeyUse) => void): Promise<void> {
      await withTransaction(deps.pool, async (sql) => {
        await sql.query('select pg_advisory_xact_lock($1)', [LOCK]);
        judge(await readUse(sql));
        await sql.query(
          `insert into vault_keys (key_id, state) values ($1, 'active') on conflict (key_id) do nothing`,
          [keyId],
        );
      });
    },
  };
}
