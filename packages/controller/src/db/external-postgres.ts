/**
 * A PostgreSQL of the operator (`DATABASE_URL`): one login, which owns the schema and migrates it. The product's queries run in the
 * role `vestibule_app`, taken on at connecting, so that the owner's rights are not theirs.
 */
import { Secret } from '@vestibule/protocol/secret';
import pg from 'pg';
import type { Pool } from 'pg';
import type { ConnectionConfig } from './connection-config.ts';
import { APP_ROLE } from './embedded-postgres/server-config.ts';
import { UnsuitableDatabaseError } from './suitability.ts';

const ROLE_EXISTS = new Set(['42710', '23505']);

/** @param databaseUrl `postgres://user:password@host/database`; startup options that it carries are kept. */
export function toExternalConfigs(databaseUrl: Secret<string>): { owner: ConnectionConfig; app: ConnectionConfig } {
  // By hand: `new URL` refuses the empty host of a socket's URL, and its error carries the password.
  const [, base = '', query = ''] = /^([^?]*)\??(.*)$/s.exec(databaseUrl.reveal()) ?? [];
  const parameters = new URLSearchParams(query);
  const own = [`-c role=${APP_ROLE}`, '-c search_path=public'];
  parameters.set('options', [parameters.get('options'), ...own].filter(Boolean).join(' '));
  return { owner: { url: databaseUrl }, app: { url: new Secret(`${base}?${parameters.toString()}`) } };
}

async function attempt(pool: Pool, statement: string): Promise<void> {
  try {
    await pool.query(statement);
  } catch (error) {
    if (!(error instanceof pg.DatabaseError)) throw error;
    if (ROLE_EXISTS.has(error.code ?? '')) return;
    throw new UnsuitableDatabaseError(
      `The role that the product's queries run in could not be set up (${error.message}). As an administrator of the database, run:\n` +
        `  create role ${APP_ROLE} nologin;\n  grant ${APP_ROLE} to <the user of DATABASE_URL>;`,
      error,
    );
  }
}

/** Creates the product's role and lets the login user take it on, where that is not so already. */
export async function ensureAppRole(ownerPool: Pool): Promise<void> {
  const roles = await ownerPool.query('select from pg_roles where rolname = $1', [APP_ROLE]);
  if (roles.rowCount === 0) await attempt(ownerPool, `create role ${APP_ROLE} nologin`);
  const member = await ownerPool.query<{ granted: boolean }>(
    // The bare creator of a role may grant it (PostgreSQL 16 and later) but not yet take it on, so membership alone says too little.
    `select exists (select from pg_auth_members m join pg_roles r on r.oid = m.roleid join pg_roles u on u.oid = m.member
       where r.rolname = $1 and u.rolname = current_user and coalesce((to_jsonb(m) ->> 'set_option')::boolean, true)) as granted`,
    [APP_ROLE],
  );
  if (member.rows[0]?.granted !== true) await attempt(ownerPool, `grant ${APP_ROLE} to current_user`);
}
