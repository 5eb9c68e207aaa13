-- Every way to sign in, changeable in the middle: which one, whom a sign-in must be of, what the person needs for it, what the CLI wrote.

alter table auth_sessions
  drop constraint auth_sessions_mode_check,
  add constraint auth_sessions_mode_check check (mode in ('vm_browser', 'own_browser', 'device_code', 'token')),
  add column way integer not null default 1 check (way > 0),
  add column expected_account text,
  add column allowed_domains text[],
  add column organization text,
  add column may_use boolean not null default false,
  add column prompt text;

alter table provider_credentials
  add column organization text,
  add column account_plan text;

-- The way counts up with each change of the mode, and with nothing else; whom a sign-in must be of was said at its beginning.
create function guard_session_way() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
  if (new.expected_account, new.allowed_domains, new.organization, new.may_use) is distinct from
     (old.expected_account, old.allowed_domains, old.organization, old.may_use) then
    raise exception 'vestibule: whom session % must be of does not change', old.session_id using errcode = 'check_violation';
  end if;
  if new.way <> old.way + (new.mode <> old.mode)::integer then
    raise exception 'vestibule: the way of session % counts up by one with its mode', old.session_id using errcode = 'check_violation';
  end if;
  return new;
end $$;
create trigger guard_session_way before update on auth_sessions for each row execute function guard_session_way();

-- I7: what the person needs for signing in outside the VM holds a state or a code: sealed, and erased with its way or its session.
create table session_offers (
  session_id uuid primary key references auth_sessions,
  way integer not null check (way > 0),
  sealed_offer bytea,
  key_id text not null references vault_keys,
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  erased_at timestamptz,
  constraint erased_is_dated check ((sealed_offer is null) = (erased_at is not null))
);

-- What was erased comes back only as an offer of the present way of a session that has not ended.
create function guard_offer() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
  if tg_op = 'UPDATE' and (new.session_id is distinct from old.session_id or new.way < old.way) then
    raise exception 'vestibule: an offer of session % does not go back to an older way', old.session_id using errcode = 'check_violation';
  end if;
  if new.sealed_offer is not null and not exists (
    select from public.auth_sessions s where s.session_id = new.session_id and s.way = new.way
      and s.status in ('started', 'vm_created', 'awaiting_user_auth')
  ) then
    raise exception 'vestibule: an offer is only of the present way of a session that has not ended, not of %', new.session_id
      using errcode = 'check_violation';
  end if;
  return new;
end $$;
create trigger guard_offer before insert or update on session_offers for each row execute function guard_offer();
create trigger refuse_delete before delete on session_offers for each row execute function refuse_change();
create trigger refuse_truncate before truncate on session_offers execute function refuse_change();

-- Its own statement sees an offer that was committed while the change of the session waited for it.
create function erase_offer() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
  update public.session_offers set sealed_offer = null, erased_at = clock_timestamp()
  where session_id = new.session_id and sealed_offer is not null;
  return null;
end $$;
create trigger erase_offer after update on auth_sessions for each row
  when (new.way <> old.way or (new.ended_at is not null and old.ended_at is null)) execute function erase_offer();

-- What the CLI wrote, secrets replaced before it left the VM; never changed.
create table session_outputs (
  session_id uuid not null references auth_sessions,
  n integer not null check (n > 0),
  text text not null,
  at timestamptz not null default now(),
  primary key (session_id, n)
);
create trigger refuse_rewrite before update or delete on session_outputs for each row execute function refuse_change();
create trigger refuse_truncate before truncate on session_outputs execute function refuse_change();

-- What kind of answer it is, to which way's program it belongs, and why the program was not given it.
alter table session_answers
  add column kind text not null default 'line' check (kind in ('line', 'keys', 'callback', 'code', 'token')),
  add column token_kind text,
  add column way integer not null default 1,
  add column refused_words text,
  add constraint token_has_kind check ((kind = 'token') = (token_kind is not null)),
  add constraint refused_is_erased check (refused_words is null or sealed_text is null),
  add constraint refused_is_not_delivered check (refused_words is null or delivered_at is null);
create index session_answers_of_session on session_answers (session_id);

create or replace function guard_answer_update() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
declare
  changeable constant text[] := array['sealed_text', 'sent_at', 'delivered_at', 'erased_at', 'refused_words'];
begin
  if to_jsonb(new) - changeable is distinct from to_jsonb(old) - changeable
    or (new.sealed_text is not null and new.sealed_text is distinct from old.sealed_text)
    or (old.sent_at is not null and new.sent_at is distinct from old.sent_at)
    or (old.delivered_at is not null and new.delivered_at is distinct from old.delivered_at)
    or (old.erased_at is not null and new.erased_at is distinct from old.erased_at)
    or (old.refused_words is not null and new.refused_words is distinct from old.refused_words) then
    raise exception 'vestibule: answer % does not change but by being sent, delivered, refused and erased, each once', old.answer_id
      using errcode = 'check_violation';
  end if;
  return new;
end $$;

grant select, insert, update on session_offers to vestibule_app;
grant select, insert on session_outputs to vestibule_app;
grant update (refused_words) on session_answers to vestibule_app;
