/**
 * Sessions that wait for their person on a claimed VM, many at once, as rows: what each contestant of a bench uses up. Numbered, so that
 * a program that knows nothing but numbers finds them too; their ids are as scattered as random ones.
 */
import { createHash } from 'node:crypto';
import type { Pool } from 'pg';

/** Below the 4,096 that the table allows for one host. */
const SLOTS = 4_000;

/** A UUID that looks random (version 4), and the SQL expression that makes the same one of the same number. */
export function toScatteredId(kind: string, n: number): string {
  const hex = createHash('md5').update(`${kind} ${n}`).digest('hex');
  return hex.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, '$1-$2-4$3-8$4-$5');
}

export function toScatteredSql(kind: string, n: string): string {
  return `overlay(overlay(md5('${kind} ' || ${n}) placing '4' from 13) placing '8' from 17)::uuid`;
}

export const toSessionId = (n: number): string => toScatteredId('session', n);
export const toVmId = (n: number): string => `vm_bench_${n}`;
const SESSION_ID = toScatteredSql('session', 'n');

/** Sessions `first` … `first + count - 1`; each number once for a database. */
export async function insertWaitingSessions(pool: Pool, first: number, count: number): Promise<void> {
  const range = [first, first + count - 1];
  const numbers = 'generate_series($1::int, $2::int) n';
  await pool.query(
    `insert into hosts (host_id, runtime) select distinct 'host_bench_' || n / ${SLOTS}, 'fake' from ${numbers} on conflict do nothing`,
    range,
  );
  await pool.query(
    `insert into browser_vms (vm_id, host_id, runtime, slot, state, epoch, boot_nonce, build_id, ready_at, claimed_at)
     select 'vm_bench_' || n, 'host_bench_' || n / ${SLOTS}, 'fake', n % ${SLOTS}, 'claimed', 1, 'nonce', 'build', now(), now() from ${numbers}`,
    range,
  );
  await pool.query(
    `insert into auth_sessions (session_id, user_id, provider, stage, vm_id, expires_at, event_seq)
     select ${SESSION_ID}, 'user_' || n, 'demo', 'awaiting_person', 'vm_bench_' || n, now() + interval '1 day', 4 from ${numbers}`,
    range,
  );
  for (const status of ['vm_created', 'awaiting_user_auth'])
    await pool.query(
      `update auth_sessions set status = '${status}' where session_id in (select ${SESSION_ID} from ${numbers})`,
      range,
    );
  await pool.query(
    `insert into auth_session_events (session_id, seq, type, actor) select ${SESSION_ID}, seq, type, 'controller'
     from ${numbers}, (values (1, 'session_created'), (2, 'vm_creating'), (3, 'vm_claimed'), (4, 'url_opened')) as steps (seq, type)`,
    range,
  );
}
