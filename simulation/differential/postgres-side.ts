/** PostgreSQL's side of a sequence: the product's own stores over connections of which one may hold its transaction open. */
import type { Pool, PoolClient } from 'pg';
import { createVmStore } from '@vestibule/controller/fleet/vm-store';
import { createCompletionStore } from '@vestibule/controller/session/completion-store';
import { createSessionStore } from '@vestibule/controller/session/session-store';
import type { ModelStores } from '../model/model-stores.ts';

/** As a pool, over one connection: what the stores ask of it. */
function toPool(client: PoolClient): Pool {
  const connect = () => Promise.resolve({ query: client.query.bind(client), release: () => undefined });
  return { query: client.query.bind(client), connect } as unknown as Pool;
}

export function createPostgresStores(client: PoolClient): ModelStores {
  const pool = toPool(client);
  const nothing = (): void => undefined;
  const deps = { pool, graceMs: 30_000, onChange: nothing, onEnded: nothing };
  return {
    store: createSessionStore(deps),
    vms: createVmStore({ pool, onChange: nothing }),
    completions: createCompletionStore(deps),
  };
}
