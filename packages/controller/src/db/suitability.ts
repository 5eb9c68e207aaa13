/** What a database must be before the product runs on it, embedded or not. */
import type { Pool } from 'pg';

/** The message is for the operator and says what to change. */
export class UnsuitableDatabaseError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'UnsuitableDatabaseError';
  }
}

const DURABLE = ['fsync', 'full_page_writes', 'synchronous_commit'];

/** I12: what a commit has answered survives a crash. `pool` should be the product's: settings can differ by role. */
export async function assertDurable(pool: Pool): Promise<void> {
  const result = await pool.query<{ name: string }>(
    `select name from pg_settings where name = any($1) and setting = 'off' order by name`,
    [DURABLE],
  );
  const names = result.rows.map((row) => row.name);
  if (names.length === 0) return;
  throw new UnsuitableDatabaseError(
    `The database may forget what it has confirmed: ${names.join(' and ')} ${names.length === 1 ? 'is' : 'are'} off. ` +
      `Switch ${names.length === 1 ? 'it' : 'them'} on for this server, database and role, then start again.`,
  );
}

/**
 * I2: the product's role is no superuser, owns no table or function, and can take on no role that does; it could switch the
 * triggers off that keep what ended as it is.
 */
export async function assertUnprivileged(pool: Pool): Promise<void> {
  const result = await pool.query<{ role: string; is_super: boolean; owned: string | null }>(
    `select current_user::text as role,
       (select rolsuper from pg_roles where rolname = current_user) as is_super,
       (select min(o.name) from (
          select relname::text, relowner from pg_class where relnamespace = 'public'::regnamespace
          union all select proname::text, proowner from pg_proc where pronamespace = 'public'::regnamespace
        ) o (name, owner) where pg_has_role(current_user, o.owner, 'member')) as owned`,
  );
  const row = result.rows[0];
  if (row === undefined || (!row.is_super && row.owned === null)) return;
  const what = row.is_super ? 'is a superuser' : `owns ${row.owned}, or is a member of the role that does`;
  throw new UnsuitableDatabaseError(
    `The product's queries would run as ${row.role}, which ${what}, so the database could not hold it to its rules. ` +
      'Give DATABASE_URL the user who owns the database, and leave the role vestibule_app without tables and memberships.',
  );
}
