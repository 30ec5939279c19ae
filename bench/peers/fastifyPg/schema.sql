create table users (
  id bigint primary key,
  workos_user_id text not null unique,
  email text not null,
  is_active boolean not null
);

-- Updated in place by every request: room on the page keeps the index out of it.
create table meetings (
  id bigint primary key,
  organizer_id bigint not null references users,
  title text not null,
  state text not null,
  max_participants integer not null,
  participant_count integer not null,
  updated_at bigint not null
) with (fillfactor = 20);

-- No foreign keys: the function below has looked up both sides when it inserts.
create table participants (
  id bigint generated always as identity primary key,
  meeting_id bigint not null,
  user_id bigint not null,
  role text not null,
  presence text not null,
  created_at bigint not null,
  unique (meeting_id, user_id)
);

-- Adds people to a meeting. `refusal` is an error code, or null; `added` are the new rows in the order of the request,
-- `skipped_at` the positions (from 1) of those who were not added, each with its code.
create function add_participants(
  caller text, meeting bigint, people bigint[], roles text[], now_ms bigint,
  out refusal text, out added bigint[], out skipped_at bigint[], out skipped_code text[]
) language plpgsql as $$
declare
  host record;
  place record;
  own_role text;
begin
  select id, is_active into host from users where workos_user_id = caller;
  if not found then refusal := 'USER_NOT_PROVISIONED'; return; end if;
  if not host.is_active then refusal := 'USER_DEACTIVATED'; return; end if;

  -- Requests for one meeting wait for each other. An advisory lock, as a row lock would be a write to be synced even when
  -- nobody is added. The statements after it see what the one before has committed.
  perform pg_advisory_xact_lock(meeting);
  select state, max_participants - participant_count as free into place from meetings where id = meeting;
  if not found then refusal := 'MEETING_NOT_FOUND'; return; end if;
  select role into own_role from participants where meeting_id = meeting and user_id = host.id;
  if own_role is distinct from 'host' then refusal := 'FORBIDDEN'; return; end if;
  if place.state not in ('scheduled', 'active') then refusal := 'MEETING_CLOSED'; return; end if;

  -- Subqueries, as for a join the planner reads all people of the meeting: so each person is looked up in two indexes.
  with entries as (
    select entry.user_id, entry.role, entry.position,
           (select u.is_active from users u where u.id = entry.user_id) as is_active,
           (select p.id from participants p where p.meeting_id = meeting and p.user_id = entry.user_id) is not null as present,
           row_number() over (partition by entry.user_id order by entry.position) as nth
    from unnest(people, roles) with ordinality as entry (user_id, role, position)
  ), judged as (
    select *, case
      when is_active is null then 'user_not_found'
      when not is_active then 'user_inactive'
      when nth > 1 then 'duplicate'
      when present then 'already_participant'
    end as code from entries
  ), placed as (
    select user_id, role, position, case
      when code is null and count(*) filter (where code is null) over (order by position) > place.free then 'meeting_full'
      else code
    end as code from judged
  ), inserted as (
    insert into participants (meeting_id, user_id, role, presence, created_at)
    select meeting, user_id, role, 'invited', now_ms from placed where code is null order by position
    returning id
  )
  select
    (select array_agg(id order by id) from inserted),
    (select array_agg(position order by position) from placed where code is not null),
    (select array_agg(code order by position) from placed where code is not null)
  into added, skipped_at, skipped_code;

  if added is not null then
    update meetings set participant_count = participant_count + cardinality(added), updated_at = now_ms
    where id = meeting;
  end if;
end $$;
