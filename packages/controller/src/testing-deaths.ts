/**
 * Test support: plays one cell of the VM death matrix on any runtime and tells what came of it. What differs between runtimes (how a
 * sign-in is led to a moment, how its VM is ended) is the rig's; how commits are held and time is made to pass is the database's.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { isTerminal, type Status } from '@vestibule/protocol/session';
import type { FailureCode } from '@vestibule/protocol/session-failure';
import type { VmState } from '@vestibule/protocol/vm';
import type { Pool } from 'pg';
import type { Cell, DeathMoment, DeathWay } from './session/testing-death-matrix.ts';

export type VmDeath = Exclude<DeathWay, 'host_gone'>;

/** What the database says at the end, and how many versions of a credential the session stored. */
export type Outcome = Omit<Cell, 'status'> & { status: Status; credentials: number };

export type DeathRig = {
  /** Of the owner, on the database that the controllers share. */
  pool: Pool;
  /** How many times longer than usual its VMs are waited for; 1 when absent. */
  patience?: number;
  /** Begins a sign-in that goes as far as the moment asks for, or further only when commits are not held; returns the session's id. */
  begin(moment: DeathMoment): Promise<string>;
  /** Whether the VM itself, which no row tells, has come to this moment; asked again until it has. */
  isAt(vmId: string, moment: DeathMoment): Promise<boolean>;
  /** Ends or freezes the VM. */
  endVm(vmId: string, way: VmDeath): Promise<void>;
  /** Every link to the agent breaks and none is taken up again. */
  isolate?(vmId: string): Promise<void>;
  /** Makes a VM of that name, which was destroyed, appear again and end so; resolves when its host has cleared it up. */
  resurface?(vmId: string, way: VmDeath): Promise<void>;
  /** The host goes silent, and another controller looks on. */
  loseHost(): Promise<void>;
};

/** What must be seen, however slow the machine. */
const PATIENCE_MS = 25_000;

export async function waitUntil(what: string, isSo: () => Promise<boolean>, patience = 1): Promise<void> {
  const withinMs = PATIENCE_MS * patience;
  for (const since = performance.now(); !(await isSo()); await wait(20))
    if (performance.now() - since > withinMs) throw new Error(`${what}: not within ${withinMs} ms`);
}

type Seen = {
  status: Status;
  error_code: FailureCode | null;
  vm_id: string | null;
  state: VmState;
  host_id: string;
  exit_code: number | null;
  exit_reason: string | null;
};

async function see(pool: Pool, sessionId: string): Promise<Seen> {
  const { rows } = await pool.query<Seen>(
    `select s.status, s.error_code, v.vm_id, v.state, v.host_id, v.exit_code, v.exit_reason
     from auth_sessions s left join browser_vms v using (vm_id) where session_id = $1`,
    [sessionId],
  );
  if (rows[0] === undefined) throw new Error(`there is no session ${sessionId}`);
  return rows[0];
}

/** Holds every hand-over inside its statement, before it takes a lock of its own; resolves to what lets them go on. */
async function holdCommits(pool: Pool): Promise<() => Promise<void>> {
  const client = await pool.connect();
  await client.query('begin; lock table provider_credentials in share mode');
  let isHeld = true;
  return async () => {
    if (!isHeld) return;
    isHeld = false;
    await client.query('rollback');
    client.release();
  };
}

async function isCommitHeld(pool: Pool): Promise<boolean> {
  const { rowCount } = await pool.query(
    `select from pg_locks l join pg_database d on d.oid = l.database
     where d.datname = current_database() and relation = 'provider_credentials'::regclass and not granted`,
  );
  return (rowCount ?? 0) > 0;
}

const STATUS_AT: Partial<Record<DeathMoment, string>> = {
  starting: 'started',
  before_url: 'vm_created',
  awaiting_person: 'awaiting_user_auth',
  file_incomplete: 'awaiting_user_auth',
  in_grace: 'completed',
  after: 'completed',
};

async function toMoment(rig: DeathRig, sessionId: string, moment: DeathMoment): Promise<string> {
  let vmId = '';
  const isThere = async (): Promise<boolean> => {
    const seen = await see(rig.pool, sessionId);
    if (seen.vm_id === null) return false;
    vmId = seen.vm_id;
    const status = STATUS_AT[moment];
    const isReached = status === undefined ? await isCommitHeld(rig.pool) : seen.status === status;
    return isReached && (await rig.isAt(vmId, moment));
  };
  await waitUntil(`the session is at ${moment}`, isThere, rig.patience);
  return vmId;
}

async function passGrace(pool: Pool, vmId: string): Promise<void> {
  await pool.query('update browser_vms set destroy_at = clock_timestamp() where vm_id = $1', [vmId]);
}

async function passDeadline(pool: Pool, sessionId: string): Promise<void> {
  await pool.query('update auth_sessions set expires_at = clock_timestamp() where session_id = $1', [sessionId]);
}

/** Its end is observed, and the reconciler has looked at the session again since settling began: it could have ended it. */
async function watchSettling(pool: Pool, sessionId: string): Promise<void> {
  const passes = new Set<string>();
  await waitUntil('the reconciler has looked again', async () => {
    const { rows } = await pool.query<{ seen_at: Date }>(
      `select h.seen_at from auth_sessions s join browser_vms v using (vm_id) join hosts h using (host_id)
       where session_id = $1 and v.exited_at is not null and h.seen_at > s.settling_since`,
      [sessionId],
    );
    if (rows[0] !== undefined) passes.add(rows[0].seen_at.toISOString());
    return passes.size === 2;
  });
}

/** An unfinished session on the silent host: its end shows that the one who looks on has drawn its conclusions. */
async function watchSilence(pool: Pool, sessionId: string): Promise<void> {
  const { host_id: hostId } = await see(pool, sessionId);
  const vmId = 'vm_witness';
  await pool.query(`insert into browser_vms (vm_id, host_id, runtime, slot) values ($1, $2, 'fake', 4000)`, [
    vmId,
    hostId,
  ]);
  const { rows } = await pool.query<{ session_id: string }>(
    `insert into auth_sessions (user_id, provider, vm_id, expires_at) values ('witness', 'demo', $1, now() + interval '1 hour')
     returning session_id`,
    [vmId],
  );
  const witness = rows[0]?.session_id ?? '';
  await waitUntil('the witness ends', async () => (await see(pool, witness)).error_code === 'host_lost');
}

const isEnded = ({ status }: Seen): boolean => isTerminal(status);

async function isOver(pool: Pool, sessionId: string): Promise<boolean> {
  const seen = await see(pool, sessionId);
  return isEnded(seen) && (seen.state === 'gone' || seen.state === 'lost');
}

async function tell(pool: Pool, sessionId: string): Promise<Outcome> {
  const seen = await see(pool, sessionId);
  const { rows: exits } = await pool.query<{ normal: boolean }>(
    `select (data->>'normal')::boolean as normal from auth_session_events where session_id = $1 and type = 'vm_exited'`,
    [sessionId],
  );
  if (exits.length > 1) throw new Error(`the end of one VM was told ${exits.length} times`);
  const stored = await pool.query('select from provider_credentials where source_session_id = $1', [sessionId]);
  return {
    status: seen.status,
    errorCode: seen.error_code,
    vm: { state: seen.state, exitCode: seen.exit_code, exitReason: seen.exit_reason },
    exitEvent: exits[0] === undefined ? 'none' : exits[0].normal ? 'normal' : 'not normal',
    credentials: stored.rowCount ?? 0,
  };
}

/** Runtimes whose machines are real cannot be made to do everything. */
function able<T>(ability: T | undefined, name: string): T {
  if (ability === undefined) throw new Error(`this rig cannot ${name}`);
  return ability;
}

type Walk = {
  rig: DeathRig;
  sessionId: string;
  vmId: string;
  moment: DeathMoment;
  way: DeathWay;
  release: () => Promise<void>;
};

const untilEnded = ({ rig, sessionId }: Pick<Walk, 'rig' | 'sessionId'>): Promise<void> =>
  waitUntil('it ends', async () => isEnded(await see(rig.pool, sessionId)), rig.patience);

/** The last steps to the moment, which only the database and the link can take. */
async function arrive(walk: Walk): Promise<void> {
  const { rig, sessionId, vmId, moment } = walk;
  if (moment === 'unacknowledged') {
    await able(rig.isolate, 'isolate')(vmId);
    await walk.release();
    await untilEnded(walk);
  }
  if (moment === 'after') {
    await passGrace(rig.pool, vmId);
    await waitUntil('the VM is gone', () => isOver(rig.pool, sessionId));
  }
}

async function strike({ rig, sessionId, vmId, moment, way }: Walk): Promise<void> {
  if (way === 'host_gone') return rig.loseHost();
  if (moment === 'after') return able(rig.resurface, 'resurface')(vmId, way);
  await rig.endVm(vmId, way);
  if (moment === 'handover_in_flight' && way !== 'frozen') await watchSettling(rig.pool, sessionId);
}

/** A frozen VM is ended only by time: the deadline's, then the grace's. */
async function outlast(walk: Walk): Promise<void> {
  const { rig, sessionId, vmId } = walk;
  if (!isEnded(await see(rig.pool, sessionId))) await passDeadline(rig.pool, sessionId);
  await untilEnded(walk);
  await passGrace(rig.pool, vmId);
}

/** Plays the cell; resolves with what the database says once nothing more can happen. */
export async function playDeath(rig: DeathRig, moment: DeathMoment, way: DeathWay): Promise<Outcome> {
  const isHeld = moment === 'handover_in_flight' || moment === 'unacknowledged';
  const release = isHeld ? await holdCommits(rig.pool) : async () => undefined;
  try {
    const sessionId = await rig.begin(moment);
    const vmId = await toMoment(rig, sessionId, moment);
    const walk: Walk = { rig, sessionId, vmId, moment, way, release };
    await arrive(walk);
    await strike(walk);
    await release();
    if (isHeld) await untilEnded(walk);
    if (way === 'frozen') await outlast(walk);
    if (way === 'host_gone') await watchSilence(rig.pool, sessionId);
    await waitUntil('all is over', () => isOver(rig.pool, sessionId), rig.patience);
    return await tell(rig.pool, sessionId);
  } finally {
    await release();
  }
}
