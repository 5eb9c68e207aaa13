/**
 * Ways to break the product on purpose, each as an edit of its own source: `simulate -- --mutants` must catch every one, or it proves
 * nothing. `by` says what catches it: random schedules, or the comparison of the real SQL with the model.
 */
export type Mutant = {
  name: string;
  by: 'schedules' | 'differential';
  /** From the root of the repository. */
  file: string;
  /** Stands exactly once in the file. */
  find: string;
  replace: string;
};

const PLAN = 'packages/controller/src/session/plan.ts';
const TAKE = 'packages/controller/src/session/take-handover.ts';
const RECONCILER = 'packages/controller/src/session/reconciler.ts';
const PUSHES = 'packages/controller/src/session/pushes.ts';
const STORE = 'packages/controller/src/session/session-store.ts';
const COMPLETION = 'packages/controller/src/session/completion-store.ts';
const VMS = 'packages/controller/src/fleet/vm-store.ts';

const BY_SCHEDULES: Omit<Mutant, 'by'>[] = [
  {
    name: 'end a session at once, without settling',
    file: PLAN,
    find: `return cause === null ? operations : [...operations, ...planSettling(row, vm.vmId, cause, facts.vm, limits)];`,
    replace: `return cause === null ? operations : [...operations, { kind: 'end', ...cause }];`,
  },
  {
    name: 'do not read the link of a dead VM to its end',
    file: PLAN,
    find: `return link.state === 'connected' && heldMs <= holdMs ? [] : [end];`,
    replace: `return [end];`,
  },
  {
    name: 'do not wait for an agent that cannot be reached just now',
    file: PLAN,
    find: `return isHoldOver || (heldMs > holdMs && link.stateMs > Math.min(holdMs, REACH_MS)) ? [end] : [];`,
    replace: `return [end];`,
  },
  {
    name: 'destroy the VM before its grace is over',
    file: PLAN,
    find: `const graceOver = vm.destroyAt === null || row.now >= vm.destroyAt;`,
    replace: `const graceOver = true;`,
  },
  {
    name: 'leave the VM of a session that has ended where it is',
    file: PLAN,
    find: `if (nothingLeft || graceOver) operations.push({ kind: 'destroy_vm', vm, cause });`,
    replace: `if (nothingLeft) operations.push({ kind: 'destroy_vm', vm, cause });`,
  },
  {
    name: 'let the exit of a VM end its session',
    file: RECONCILER,
    find: `await vms.recordExit(operation.vmId, operation.exit);`,
    replace: `await vms.recordExit(operation.vmId, operation.exit); await end(row, { kind: 'end', event: 'vm_ended', code: 'vm_ended' });`,
  },
  {
    name: 'sweep VMs that rows want',
    file: RECONCILER,
    find: `found.filter((id) => !wanted.has(id))`,
    replace: `found.filter((id) => wanted.size >= 0)`,
  },
  {
    name: 'say that a host lives less often than the hold is long',
    file: RECONCILER,
    find: `heartbeatAt = now + Math.min(HEARTBEAT_MS, deps.limits.holdMs / 4);`,
    replace: `heartbeatAt = now + HEARTBEAT_MS;`,
  },
  {
    name: 'acknowledge a hand-over before it is committed',
    file: TAKE,
    find: `const completed = await completions.complete(row.sessionId, vmId, handover, sealed);`,
    replace: `completions.complete(row.sessionId, vmId, handover, sealed).catch(() => false); const completed = true;`,
  },
  {
    name: 'take an unknown commit for a commit',
    file: TAKE,
    find: `const completed = await completions.complete(row.sessionId, vmId, handover, sealed);`,
    replace: `const completed = await completions.complete(row.sessionId, vmId, handover, sealed).catch(() => true);`,
  },
  {
    name: 'do not say that a login surfaced too late',
    file: TAKE,
    find: `case 'ended':
        await store.recordLateRefusal(row.sessionId, handoverId, 'session_ended');`,
    replace: `case 'ended':`,
  },
  {
    name: 'hear an agent once and never dial again',
    file: 'packages/controller/src/agent-link/agent-links.ts',
    find: `if (connectedMs > LASTING_MS) retryMs = FIRST_RETRY_MS;`,
    replace: `if (connectedMs > LASTING_MS) return;`,
  },
  {
    name: 'begin a page at the first event whatever it has seen',
    file: PUSHES,
    find: `{ listener, seq: afterSeq, joining: null }`,
    replace: `{ listener, seq: 0, joining: null }`,
  },
  {
    name: 'trust that no hint is ever lost',
    file: PUSHES,
    find: `for (const sessionId of await store.listBehind(seen)) wake(sessionId);`,
    replace: `await store.listBehind(seen);`,
  },
  {
    name: 'forget that a person who was waited for may have signed in',
    file: 'packages/controller/src/session/machine.ts',
    find: `awaiting_user_auth: { ...ENDS, vm_claimed: null, url_opened: null },`,
    replace: `awaiting_user_auth: { ...ENDS, credential_stored: null, vm_claimed: null, url_opened: null },`,
  },
  {
    name: 'believe a CLI that ended with another code than 0',
    file: 'packages/agent/src/verdict.ts',
    find: `if (exit.exitCode !== 0) {`,
    replace: `if (exit.exitCode === null) {`,
  },
  {
    name: 'believe a CLI that says it is not signed in',
    file: 'packages/agent/src/sign-in.ts',
    find: `if (doubt !== null) return { doubt };`,
    replace: ``,
  },
  {
    name: 'hand over files that are not complete',
    file: 'packages/agent/src/verdict.ts',
    find: `const isComplete = complete.length === readings.length;`,
    replace: `const isComplete = complete.length >= 0;`,
  },
  {
    name: 'offer a login once, not at every new link',
    file: 'packages/agent/src/outbox.ts',
    find: `for (const message of kept.values()) send(message);`,
    replace: ``,
  },
];

const BY_DIFFERENTIAL: Omit<Mutant, 'by'>[] = [
  {
    name: 'SQL: end whatever the status is',
    file: STORE,
    find: `where session_id = $1 and status = any($3) returning session_id, event_seq, vm_id`,
    replace: `where session_id = $1 and ($3::text[] is not null) returning session_id, event_seq, vm_id`,
  },
  {
    name: 'SQL: end without its event',
    file: STORE,
    find: `from changed where v.vm_id = changed.vm_id and v.destroy_at is null
       ) \${logged(7)}`,
    replace: `from changed where v.vm_id = changed.vm_id and v.destroy_at is null
       ) select 1 from changed where $7::text is not null and $8::text is not null and $9::text is not null`,
  },
  {
    name: 'SQL: claim a session for a VM that is not its own',
    file: STORE,
    find: `where session_id = $1 and vm_id = $2 and status = any($3) returning session_id, event_seq`,
    replace: `where session_id = $1 and $2 <> '' and status = any($3) returning session_id, event_seq`,
  },
  {
    name: 'SQL: begin settling anew each time',
    file: STORE,
    find: `where session_id = $1 and status = any($2) and settling_since is null returning session_id, event_seq`,
    replace: `where session_id = $1 and status = any($2) returning session_id, event_seq`,
  },
  {
    name: 'SQL: complete whatever the status is',
    file: COMPLETION,
    find: `where session_id = $1 and vm_id = $2 and status = any($4) and exists (select from key)`,
    replace: `where session_id = $1 and vm_id = $2 and $4::text[] is not null and exists (select from key)`,
  },
  {
    name: 'SQL: complete before storing',
    file: COMPLETION,
    find: `from changed c left join provider_credentials p on p.user_id = c.user_id and p.provider = c.provider
         group by`,
    replace: `from changed c left join provider_credentials p on p.user_id = c.user_id and p.provider = c.provider where false
         group by`,
  },
  {
    name: 'SQL: seal with a key that was retired',
    file: COMPLETION,
    find: `select key_id from vault_keys where key_id = $7 and state = 'active' for share`,
    replace: `select key_id from vault_keys where key_id = $7 for share`,
  },
  {
    name: 'SQL: place a second VM for a session',
    file: VMS,
    find: `where session_id = $1 and vm_id is null and status = 'started' for update skip locked`,
    replace: `where session_id = $1 and status = 'started' for update skip locked`,
  },
  {
    name: 'SQL: write how a VM ended again and again',
    file: VMS,
    find: `where vm_id = $1 and exited_at is null and state <> 'gone' and (select count(*) from held) >= 0 returning vm_id`,
    replace: `where vm_id = $1 and (select count(*) from held) >= 0 returning vm_id`,
  },
  {
    name: 'SQL: accept another boot of the VM',
    file: VMS,
    find: `and v.state <> 'gone' and (v.boot_nonce is null or v.boot_nonce = $2)`,
    replace: `and v.state <> 'gone' and $2 <> ''`,
  },
];

export const MUTANTS: readonly Mutant[] = [
  ...BY_SCHEDULES.map((mutant) => ({ ...mutant, by: 'schedules' as const })),
  ...BY_DIFFERENTIAL.map((mutant) => ({ ...mutant, by: 'differential' as const })),
];
