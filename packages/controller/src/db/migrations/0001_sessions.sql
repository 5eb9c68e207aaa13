-- Auth sessions, their VMs, credentials and events, with the invariants that the database itself enforces:
-- I1 a session is completed if and only if the version it captured is committed; I2 what ended never changes; I9 one active session
-- for a user and provider. And of I3: how a VM ended is written once.
-- Every refusal raises SQLSTATE 23514 or 23xxx with a message that begins "vestibule:".

create table hosts (
  host_id text primary key,
  runtime text not null,
  created_at timestamptz not null default now(),
  seen_at timestamptz not null default now()
);

create table browser_vms (
  vm_id text primary key,
  host_id text not null references hosts,
  runtime text not null check (runtime in ('process', 'container', 'qemu', 'firecracker', 'incus', 'fake')),
  slot integer not null check (slot between 0 and 4095),
  state text not null default 'creating' check (state in ('creating', 'ready', 'claimed', 'draining', 'gone', 'lost')),
  epoch integer not null default 0,
  boot_nonce text,
  build_id text,
  created_at timestamptz not null default now(),
  ready_at timestamptz,
  claimed_at timestamptz,
  destroy_at timestamptz,
  exit_code integer,
  exit_signal text,
  exit_reason text,
  exited_at timestamptz,
  gone_at timestamptz,
  constraint exit_is_whole check ((exited_at is null) = (exit_reason is null)),
  constraint gone_is_dated check ((state = 'gone') = (gone_at is not null))
);
create unique index browser_vms_one_vm_a_slot on browser_vms (host_id, slot) where state <> 'gone';

create table vault_keys (
  key_id text primary key,
  state text not null check (state in ('active', 'retired')),
  created_at timestamptz not null default now()
);

create table auth_sessions (
  session_id uuid primary key default gen_random_uuid(),
  user_id text not null check (user_id <> ''),
  provider text not null check (provider <> ''),
  status text not null default 'started'
    check (status in ('started', 'vm_created', 'awaiting_user_auth', 'completed', 'failed', 'timeout', 'cancelled')),
  mode text not null default 'vm_browser' check (mode in ('vm_browser', 'own_browser', 'device_code')),
  stage text not null default 'installing'
    check (stage in ('installing', 'starting_vm', 'starting_sign_in', 'awaiting_person', 'storing')),
  vm_id text unique references browser_vms,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  expires_at timestamptz not null,
  settling_since timestamptz,
  waiting_for text,
  capabilities text[] not null default '{}',
  completed_at timestamptz,
  ended_at timestamptz,
  error_code text,
  error_message text,
  error_stage text,
  credential_id uuid,
  late_refused_at timestamptz,
  event_seq bigint not null default 0,
  constraint auth_sessions_identity unique (session_id, user_id, provider),
  constraint completed_has_credential check ((status = 'completed') = (credential_id is not null)),
  constraint completed_is_dated check ((status = 'completed') = (completed_at is not null)),
  constraint ended_is_dated check ((status in ('completed', 'failed', 'timeout', 'cancelled')) = (ended_at is not null)),
  constraint not_completed_has_reason check ((status in ('failed', 'timeout', 'cancelled')) = (error_code is not null)),
  constraint reason_has_words check ((error_code is null) = (error_message is null)),
  constraint vm_status_has_vm check (status not in ('vm_created', 'awaiting_user_auth') or vm_id is not null)
);
create unique index auth_sessions_one_active on auth_sessions (user_id, provider)
  where status in ('started', 'vm_created', 'awaiting_user_auth');
create index auth_sessions_active on auth_sessions (expires_at)
  where status in ('started', 'vm_created', 'awaiting_user_auth');
create index auth_sessions_by_user on auth_sessions (user_id, created_at desc);

create table provider_credentials (
  credential_id uuid primary key,
  user_id text not null,
  provider text not null,
  account text,
  encrypted_data bytea,
  key_id text not null references vault_keys,
  version integer not null check (version > 0),
  source text not null check (source in ('sign_in', 'rotation', 'import')),
  source_session_id uuid,
  handover_id uuid,
  content_hash text,
  evidence text[] not null default '{}',
  expires_at timestamptz,
  is_valid boolean,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  revoked_at timestamptz,
  constraint provider_credentials_version unique (user_id, provider, version),
  constraint one_version_a_session unique (source_session_id),
  constraint provider_credentials_origin unique (credential_id, source_session_id, user_id, provider),
  constraint sign_in_has_session check ((source = 'sign_in') = (source_session_id is not null)),
  constraint revoked_is_erased check ((encrypted_data is null) = (revoked_at is not null)),
  constraint source_session foreign key (source_session_id, user_id, provider)
    references auth_sessions (session_id, user_id, provider) deferrable initially deferred
);

-- I1, one half: a completed session points at a version made by itself, for its own user and provider.
alter table auth_sessions add constraint completed_by_own_credential
  foreign key (credential_id, session_id, user_id, provider)
  references provider_credentials (credential_id, source_session_id, user_id, provider) deferrable initially deferred;

-- I1, the other half: a version made by a session exists only when that session is completed by it, at commit.
-- Every trigger function pins its search_path: a temporary table of the same name must not stand in for the real one.
create function refuse_credential_without_completion() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
  if not exists (
    select from public.auth_sessions s
    where s.session_id = new.source_session_id and s.status = 'completed' and s.credential_id = new.credential_id
  ) then
    raise exception 'vestibule: credential % is stored without completing session %', new.credential_id, new.source_session_id
      using errcode = 'check_violation';
  end if;
  return null;
end $$;
create constraint trigger credential_completes_session
  after insert or update on provider_credentials deferrable initially deferred
  for each row when (new.source = 'sign_in') execute function refuse_credential_without_completion();

create table auth_session_events (
  id bigint generated always as identity primary key,
  session_id uuid not null references auth_sessions,
  seq bigint not null check (seq > 0),
  at timestamptz not null default now(),
  type text not null,
  actor text not null check (actor in ('person', 'operator', 'controller', 'agent', 'supervisor')),
  data jsonb not null default '{}',
  constraint auth_session_events_seq unique (session_id, seq)
);

create table audit_log (
  id bigint generated always as identity primary key,
  at timestamptz not null default now(),
  actor text not null,
  action text not null,
  subject text not null,
  data jsonb not null default '{}'
);

-- I2: sessions begin at the beginning, move only forward, and never change once they ended.
create function guard_session_insert() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
  if new.status <> 'started' then
    raise exception 'vestibule: a session begins as started, not as %', new.status using errcode = 'check_violation';
  end if;
  return new;
end $$;
create trigger guard_session_insert before insert on auth_sessions for each row execute function guard_session_insert();

create function guard_session_update() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
declare
  -- What may still change after the end: none of it says how the session ended.
  notes constant text[] := array['updated_at', 'event_seq', 'late_refused_at'];
begin
  if (new.session_id, new.user_id, new.provider, new.created_at) is distinct from
     (old.session_id, old.user_id, old.provider, old.created_at) then
    raise exception 'vestibule: the identity of session % does not change', old.session_id using errcode = 'check_violation';
  end if;
  if new.event_seq < old.event_seq then
    raise exception 'vestibule: the events of session % only grow', old.session_id using errcode = 'check_violation';
  end if;
  if old.vm_id is not null and new.vm_id is distinct from old.vm_id then
    raise exception 'vestibule: session % keeps its VM', old.session_id using errcode = 'check_violation';
  end if;
  if old.status in ('completed', 'failed', 'timeout', 'cancelled') then
    if to_jsonb(new) - notes is distinct from to_jsonb(old) - notes then
      raise exception 'vestibule: session % ended as % and does not change', old.session_id, old.status
        using errcode = 'check_violation';
    end if;
  elsif new.status <> old.status
    and new.status not in ('completed', 'failed', 'timeout', 'cancelled')
    and (old.status, new.status) not in (('started', 'vm_created'), ('vm_created', 'awaiting_user_auth')) then
    raise exception 'vestibule: a session does not move from % to %', old.status, new.status using errcode = 'check_violation';
  end if;
  new.updated_at := now();
  return new;
end $$;
create trigger guard_session_update before update on auth_sessions for each row execute function guard_session_update();

create function guard_credential_update() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
declare
  -- Re-wrapping (encrypted_data, key_id), what is learnt of validity, and revocation; everything else is as captured.
  changeable constant text[] := array['updated_at', 'encrypted_data', 'key_id', 'is_valid', 'revoked_at'];
begin
  if to_jsonb(new) - changeable is distinct from to_jsonb(old) - changeable then
    raise exception 'vestibule: credential % does not change', old.credential_id using errcode = 'check_violation';
  end if;
  if old.revoked_at is not null and new.revoked_at is distinct from old.revoked_at then
    raise exception 'vestibule: credential % stays revoked', old.credential_id using errcode = 'check_violation';
  end if;
  new.updated_at := now();
  return new;
end $$;
create trigger guard_credential_update before update on provider_credentials
  for each row execute function guard_credential_update();

-- I3: how a VM ended is written once.
create function guard_vm_update() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
  if old.exited_at is not null and
     (new.exit_code, new.exit_signal, new.exit_reason, new.exited_at) is distinct from
     (old.exit_code, old.exit_signal, old.exit_reason, old.exited_at) then
    raise exception 'vestibule: how VM % ended does not change', old.vm_id using errcode = 'check_violation';
  end if;
  if old.state = 'gone' and new.state <> 'gone' then
    raise exception 'vestibule: VM % is gone', old.vm_id using errcode = 'check_violation';
  end if;
  return new;
end $$;
create trigger guard_vm_update before update on browser_vms for each row execute function guard_vm_update();

create function refuse_change() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
  raise exception 'vestibule: % of % is refused', lower(tg_op), tg_table_name using errcode = 'check_violation';
end $$;
create trigger refuse_delete before delete on auth_sessions for each row execute function refuse_change();
create trigger refuse_truncate before truncate on auth_sessions execute function refuse_change();
create trigger refuse_delete before delete on provider_credentials for each row execute function refuse_change();
create trigger refuse_truncate before truncate on provider_credentials execute function refuse_change();
create trigger refuse_rewrite before update or delete on auth_session_events for each row execute function refuse_change();
create trigger refuse_truncate before truncate on auth_session_events execute function refuse_change();
create trigger refuse_delete before delete on browser_vms for each row execute function refuse_change();
create trigger refuse_truncate before truncate on browser_vms execute function refuse_change();
create trigger refuse_rewrite before update or delete on audit_log for each row execute function refuse_change();
create trigger refuse_truncate before truncate on audit_log execute function refuse_change();

-- The product's role: it owns nothing, deletes nothing, truncates nothing.
grant select, insert, update on hosts, browser_vms, auth_sessions, provider_credentials to vestibule_app;
grant select, insert, update on vault_keys to vestibule_app;
grant select, insert on auth_session_events, audit_log to vestibule_app;
