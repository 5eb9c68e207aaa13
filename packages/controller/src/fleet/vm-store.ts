/** The rows of hosts and browser VMs. A VM's row is written before anything of it is created (I4); how it ended is written once (I3). */
import type { RuntimeKind, VmExit } from '@vestibule/protocol/vm';
import { ACTIVE_STATUSES } from '@vestibule/protocol/session';
import type { Pool } from 'pg';
import type { DestroyCause } from '../session/session-row.ts';

export type VmPlacement = { vmId: string; hostId: string; runtime: RuntimeKind; maxVms: number; sessionMs: number };
/** `claimedBefore`: an earlier link was given the session already. */
export type VmClaim = { epoch: number; sessionId: string | null; claimedBefore: boolean };

/** What a host offers to sessions, and to the other controllers. */
export type HostOffer = {
  /** Where its controller serves other controllers; null when they cannot reach it. */
  peerUrl: string | null;
  providers: readonly string[];
  maxVms: number;
};
/** How the installation of a session's CLI went on the hosts so far. */
export type InstallRecord = {
  failedHere: boolean;
  /** Why it failed last, on any host; null when it failed nowhere. */
  message: string | null;
  /** Another host is alive that offers the provider and has not failed. */
  hostLeft: boolean;
};

/** A host says that it lives every 5 s. */
const LIVE_MS = 15_000;
const NOTHING_OFFERED: HostOffer = { peerUrl: null, providers: [], maxVms: 0 };

const UNIQUE_VIOLATION = '23505';

/** Every statement that changes both locks the session's row before its VM's: two in the opposite order would wait for each other. */
const SESSION_FIRST = 'held as (select from auth_sessions where vm_id = $1 for update)';

export type VmStore = ReturnType<typeof createVmStore>;

export function createVmStore(deps: { pool: Pool; onChange: (sessionId: string) => void }) {
  const { pool } = deps;

  async function change(text: string, values: unknown[]): Promise<boolean> {
    const result = await pool.query<{ session_id: string }>(text, values);
    for (const row of result.rows) deps.onChange(row.session_id);
    return result.rows.length > 0;
  }

  return {
    /** Also says that the host lives. */
    async registerHost(hostId: string, runtime: RuntimeKind, offer: HostOffer = NOTHING_OFFERED): Promise<void> {
      await pool.query(
        `insert into hosts (host_id, runtime, peer_url, providers, max_vms) values ($1, $2, $3, $4, $5)
         on conflict (host_id) do update set runtime = excluded.runtime, peer_url = excluded.peer_url,
           providers = excluded.providers, max_vms = excluded.max_vms, seen_at = clock_timestamp()`,
        [hostId, runtime, offer.peerUrl, offer.providers, offer.maxVms],
      );
    },

    /** Where a host's controller serves other controllers, as it said itself. */
    async findPeerUrl(hostId: string): Promise<string | null> {
      const result = await pool.query<{ peer_url: string | null }>('select peer_url from hosts where host_id = $1', [
        hostId,
      ]);
      return result.rows[0]?.peer_url ?? null;
    },

    /** Most VMs at once on all hosts that live. */
    async countPlaces(): Promise<number> {
      const result = await pool.query<{ n: number }>(
        `select coalesce(sum(max_vms), 0)::int as n from hosts
         where seen_at > clock_timestamp() - make_interval(secs => $1::float8 / 1000)`,
        [LIVE_MS],
      );
      return result.rows[0]?.n ?? 0;
    },

    async readInstalls(sessionId: string, provider: string, hostId: string): Promise<InstallRecord> {
      const result = await pool.query<{ failed_here: boolean; message: string | null; host_left: boolean }>(
        `with failures as (
           select e.seq, e.data->>'hostId' as host_id, e.data->>'message' as message
           from auth_session_events e where e.session_id = $1 and e.type = 'layer_failed'
         ) select exists (select from failures f where f.host_id = $3) as failed_here,
           (select f.message from failures f order by f.seq desc limit 1) as message,
           exists (select from hosts h where h.host_id <> $3 and $2 = any(h.providers)
             and h.seen_at > clock_timestamp() - make_interval(secs => $4::float8 / 1000)
             and not exists (select from failures f where f.host_id = h.host_id)) as host_left`,
        [sessionId, provider, hostId, LIVE_MS],
      );
      const row = result.rows[0];
      return {
        failedHere: row?.failed_here ?? false,
        message: row?.message ?? null,
        hostLeft: row?.host_left ?? false,
      };
    },

    /**
     * Writes the VM's row and gives it to the session, whose clock starts now. False when the session ended, has a VM already, is being
     * placed by another controller (skip locked), or the host has no free slot.
     */
    async place(sessionId: string, placement: VmPlacement): Promise<boolean> {
      try {
        return await change(
          `with candidate as (
             select session_id from auth_sessions where session_id = $1 and vm_id is null and status = 'started' for update skip locked
           ), free as (
             select n as slot from generate_series(0, $5::int - 1) n
             where not exists (select from browser_vms v where v.host_id = $3 and v.state <> 'gone' and v.slot = n) order by n limit 1
           ), vm as (
             insert into browser_vms (vm_id, host_id, runtime, slot) select $2, $3, $4, free.slot from free, candidate returning vm_id
           ), changed as (
             update auth_sessions s set vm_id = vm.vm_id, stage = 'starting_vm', waiting_for = null, event_seq = event_seq + 1,
               expires_at = clock_timestamp() + make_interval(secs => $6::float8 / 1000)
             from vm, candidate where s.session_id = candidate.session_id returning s.session_id, s.event_seq
           ) insert into auth_session_events (session_id, seq, type, actor, data)
             select session_id, event_seq, 'vm_creating', 'controller', jsonb_build_object('vmId', $2::text, 'runtime', $4::text, 'hostId', $3::text) from changed
             returning session_id`,
          [sessionId, placement.vmId, placement.hostId, placement.runtime, placement.maxVms, placement.sessionMs],
        );
      } catch (error) {
        if ((error as { code?: string }).code === UNIQUE_VIOLATION) return false;
        throw error;
      }
    },

    /**
     * The agent said hello over a new link: the epoch grows, older links are fenced (I8). `sessionId` is null when the VM has no session.
     * Null when the VM is unknown, going, or another boot than the one first seen.
     */
    async greet(vmId: string, bootNonce: string, buildId: string): Promise<VmClaim | null> {
      const result = await pool.query<{ epoch: number; session_id: string | null; claimed_before: boolean }>(
        `update browser_vms v set epoch = v.epoch + 1, boot_nonce = $2, build_id = $3, ready_at = coalesce(ready_at, clock_timestamp()),
           state = case when state = 'creating' then 'ready' else state end
         where v.vm_id = $1 and v.state <> 'gone' and (v.boot_nonce is null or v.boot_nonce = $2)
         returning v.epoch, v.claimed_at is not null as claimed_before, (select s.session_id from auth_sessions s where s.vm_id = v.vm_id) as session_id`,
        [vmId, bootNonce, buildId],
      );
      const row = result.rows[0];
      return row === undefined
        ? null
        : { epoch: row.epoch, sessionId: row.session_id, claimedBefore: row.claimed_before };
    },

    async markClaimed(vmId: string): Promise<void> {
      await pool.query(
        `update browser_vms set state = 'claimed', claimed_at = clock_timestamp() where vm_id = $1 and state in ('creating', 'ready')`,
        [vmId],
      );
    },

    async markDraining(vmId: string): Promise<void> {
      await pool.query(
        `update browser_vms set state = 'draining' where vm_id = $1 and state in ('creating', 'ready', 'claimed', 'lost')`,
        [vmId],
      );
    },

    /**
     * Gives up a VM whose session has ended and whose host said nothing for longer than the hold. Its slot stays taken until that host
     * is back and destroys it. False when the host was heard of meanwhile.
     */
    markLost(vmId: string, holdMs: number): Promise<boolean> {
      return change(
        `with held as (
           select session_id from auth_sessions where vm_id = $1 and status <> all($2::text[]) for no key update
         ), lost as (
           update browser_vms v set state = 'lost' from held
           where v.vm_id = $1 and v.state not in ('gone', 'lost') and exists (select from hosts h
             where h.host_id = v.host_id and h.seen_at < clock_timestamp() - make_interval(secs => $3::float8 / 1000))
           returning held.session_id, v.host_id
         ), changed as (
           update auth_sessions s set event_seq = event_seq + 1 from lost where s.session_id = lost.session_id
           returning s.session_id, s.event_seq, lost.host_id
         ) insert into auth_session_events (session_id, seq, type, actor, data)
           select session_id, event_seq, 'vm_lost', 'controller', jsonb_build_object('hostId', host_id) from changed
           returning session_id`,
        [vmId, [...ACTIVE_STATUSES], holdMs],
      );
    },

    /** Writes how the VM ended, once, and tells its session's timeline; never a status. `normal` after the session's end. */
    recordExit(vmId: string, exit: VmExit): Promise<boolean> {
      return change(
        `with ${SESSION_FIRST}, ended as (
           update browser_vms set exit_code = $2, exit_signal = $3, exit_reason = $4, exited_at = $5
           where vm_id = $1 and exited_at is null and state <> 'gone' and (select count(*) from held) >= 0 returning vm_id
         ), changed as (
           update auth_sessions s set event_seq = event_seq + 1 from ended where s.vm_id = ended.vm_id
           returning s.session_id, s.event_seq, s.status
         ) insert into auth_session_events (session_id, seq, type, actor, data)
           select session_id, event_seq, 'vm_exited', 'supervisor',
             jsonb_build_object('exitCode', $2::int, 'reason', $4::text, 'normal', status <> all($6::text[])) from changed
           returning session_id`,
        [vmId, exit.exitCode, exit.signal, exit.reason, exit.at, [...ACTIVE_STATUSES]],
      );
    },

    /** Everything of the VM is verified gone; its slot is free again. */
    markGone(vmId: string, cause: DestroyCause = 'grace_over'): Promise<boolean> {
      return change(
        `with ${SESSION_FIRST}, gone as (
           update browser_vms set state = 'gone', gone_at = clock_timestamp()
           where vm_id = $1 and state <> 'gone' and (select count(*) from held) >= 0 returning vm_id
         ), changed as (
           update auth_sessions s set event_seq = event_seq + 1 from gone where s.vm_id = gone.vm_id returning s.session_id, s.event_seq
         ) insert into auth_session_events (session_id, seq, type, actor, data)
           select session_id, event_seq, 'vm_destroyed', 'controller', jsonb_build_object('cause', $2::text) from changed returning session_id`,
        [vmId, cause],
      );
    },

    /** Ids of this host's VMs that may still own something. */
    async listNotGone(hostId: string): Promise<Set<string>> {
      const result = await pool.query<{ vm_id: string }>(
        `select vm_id from browser_vms where host_id = $1 and state <> 'gone'`,
        [hostId],
      );
      return new Set(result.rows.map((row) => row.vm_id));
    },
  };
}
