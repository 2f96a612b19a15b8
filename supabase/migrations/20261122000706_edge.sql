-- An envelope leaves the database only to the edge, and comes only from the edge. The edge proves itself by a machine token
-- of the scope `edge`, a secret of the Worker, beside the credential of the caller. Row-level security still decides
-- whose row it is. DELETE on trading_keys, and stopping a bot, never need it: a session alone can end things.

create function private.admit_edge(edge_token text) returns void
language plpgsql security definer set search_path = '' as $$
declare
  id constant uuid := private.token_in_force(admit_edge.edge_token, 'edge');
begin
  if id is null then
    raise sqlstate 'PT503' using message = 'The edge token is not valid.', hint = 'edge_token_invalid';
  end if;
  perform private.note_use_of_token(id);
  -- For the rest of this transaction, see require_edge.
  perform set_config('trading_keys.edge', pg_current_xact_id()::text, true);
end $$;
comment on function private.admit_edge(text) is
  'The first step of every function that returns or stores an envelope, or that records what only the edge can know. Definer: API roles cannot read hashes.';

create function private.require_edge() returns trigger
language plpgsql set search_path = '' as $$
begin
  -- Not definer: the role of the statement. What triggers of keys write, and the operator's SQL, runs as the owner.
  if current_user in ('anon', 'authenticated')
    and coalesce(current_setting('trading_keys.edge', true), '')
      <> coalesce(pg_current_xact_id_if_assigned()::text, 'no transaction id yet')
  then
    raise sqlstate 'PT403' using message = 'Only the edge stores envelopes.', hint = 'edge_required';
  end if;
  return case tg_level when 'ROW' then new end;
end $$;
comment on function private.require_edge() is
  'Rejects an envelope that an API role writes without the edge token: the database cannot tell whether an envelope opens, the edge can.';

grant execute on function private.admit_edge(text) to authenticated;
