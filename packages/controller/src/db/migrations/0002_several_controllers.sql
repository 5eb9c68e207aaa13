-- Several controllers over one database: what one process knew alone becomes rows. Where a host's controller serves the others and what
-- it can run, live-view tickets, and a person's answers on their way to the controller that holds the VM's link.

alter table hosts
  add column peer_url text,
  add column providers text[] not null default '{}',
  add column max_vms integer not null default 0 check (max_vms >= 0);

-- Only the hash of a ticket is kept. `for_host`: only that host's own controller may take it.
create table live_view_tickets (
  ticket_sha256 bytea primary key check (octet_length(ticket_sha256) = 32),
  session_id uuid not null references auth_sessions,
  for_host text references hosts,
  issued_at timestamptz not null default now(),
  expires_at timestamptz not null,
  taken_at timestamptz,
  constraint ticket_lives_a_minute check (expires_at <= issued_at + interval '60 seconds')
);
create index live_view_tickets_by_end on live_view_tickets (expires_at);

-- I7: the text is sealed, and erased when the answer is delivered or its time is over.
create table session_answers (
  answer_id uuid primary key,
  session_id uuid not null references auth_sessions,
  sealed_text bytea,
  key_id text not null references vault_keys,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  sent_at timestamptz,
  delivered_at timestamptz,
  erased_at timestamptz,
  constraint answer_lives_a_minute check (expires_at <= created_at + interval '60 seconds'),
  constraint erased_is_dated check ((sealed_text is null) = (erased_at is not null)),
  constraint delivered_is_erased check (delivered_at is null or sealed_text is null)
);
create index session_answers_waiting on session_answers (expires_at) where sealed_text is not null;

-- I8: a ticket is taken once and for what it was issued.
create function guard_ticket_update() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
  if old.taken_at is not null or to_jsonb(new) - 'taken_at' is distinct from to_jsonb(old) - 'taken_at' then
    raise exception 'vestibule: a live-view ticket does not change but by being taken once' using errcode = 'check_violation';
  end if;
  return new;
end $$;
create trigger guard_ticket_update before update on live_view_tickets for each row execute function guard_ticket_update();

create function guard_ticket_delete() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
  if old.expires_at > clock_timestamp() then
    raise exception 'vestibule: a live-view ticket is deleted only after its time' using errcode = 'check_violation';
  end if;
  return old;
end $$;
create trigger guard_ticket_delete before delete on live_view_tickets for each row execute function guard_ticket_delete();
create trigger refuse_truncate before truncate on live_view_tickets execute function refuse_change();

-- An answer is delivered once, and what was erased stays erased.
create function guard_answer_update() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
declare
  changeable constant text[] := array['sealed_text', 'sent_at', 'delivered_at', 'erased_at'];
begin
  if to_jsonb(new) - changeable is distinct from to_jsonb(old) - changeable
    or (new.sealed_text is not null and new.sealed_text is distinct from old.sealed_text)
    or (old.sent_at is not null and new.sent_at is distinct from old.sent_at)
    or (old.delivered_at is not null and new.delivered_at is distinct from old.delivered_at)
    or (old.erased_at is not null and new.erased_at is distinct from old.erased_at) then
    raise exception 'vestibule: answer % does not change but by being sent, delivered and erased, each once', old.answer_id
      using errcode = 'check_violation';
  end if;
  return new;
end $$;
create trigger guard_answer_update before update on session_answers for each row execute function guard_answer_update();
create trigger refuse_delete before delete on session_answers for each row execute function refuse_change();
create trigger refuse_truncate before truncate on session_answers execute function refuse_change();

-- A VM of a host that was given up serves nobody again: its own host, once back, destroys it.
create function guard_lost_vm() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
  if old.state = 'lost' and new.state not in ('lost', 'draining', 'gone') then
    raise exception 'vestibule: VM % is lost and can only be destroyed', old.vm_id using errcode = 'check_violation';
  end if;
  return new;
end $$;
create trigger guard_lost_vm before update on browser_vms for each row execute function guard_lost_vm();

grant select, insert, delete, update (taken_at) on live_view_tickets to vestibule_app;
grant select, insert, update (sealed_text, sent_at, delivered_at, erased_at) on session_answers to vestibule_app;
