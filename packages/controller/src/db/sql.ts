/** The little of `pg` that stores use: a pool, or a client inside a transaction. */
import type { Pool, PoolClient } from 'pg';

export type Sql = Pick<Pool, 'query'> | Pick<PoolClient, 'query'>;
