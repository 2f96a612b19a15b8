-- Only the edge can read and write envelopes. It sends the edge token (a machine token of the scope `edge`, a secret of the
-- Worker) in addition to the credential of the caller. Row-level security still decides which rows the caller may use.
-- DELETE on trading_keys and stopping a bot never need the edge token, so that a session alone can end things.

create function private.raise_edge_token_invalid() returns void
language plpgsql set search_path = '' as $$
begin
  raise sqlstate 'PT503' using message = 'The edge token is not valid.', hint = 'edge_token_invalid';
end $$;

create function private.admit_edge(edge_token text) returns void
language plpgsql security definer set search_path = '' as $$
declare
  hash constant bytea := private.hash_of_token(admit_edge.edge_token);
  edge record;
begin
  select tokens.id, tokens.use_is_noted into edge from private.tokens_in_force as tokens
    where tokens.token_hash = hash and tokens.scope = 'edge';
  if not found then perform private.raise_edge_token_invalid(); end if;
  if not edge.use_is_noted then perform private.note_use_of_token(edge.id); end if;
  -- The mark is valid until the end of this transaction. require_edge reads it.
  perform set_config('trading_keys.edge', pg_current_xact_id()::text, true);
end $$;
comment on function private.admit_edge(text) is
  'The first step of every function that returns or stores an envelope, or that records what only the edge can know. Definer: API roles cannot read the hashes of tokens.';

create function private.require_edge() returns trigger
language plpgsql set search_path = '' as $$
begin
  -- Not definer, so current_user is the role of the statement. Triggers of keys and the operator's SQL write as the owner.
  if current_user in ('anon', 'authenticated')
    and coalesce(current_setting('trading_keys.edge', true), '')
      <> coalesce(pg_current_xact_id_if_assigned()::text, 'no transaction id yet')
  then
    raise sqlstate 'PT403' using message = 'Only the API can store an envelope. Send the key to the API.', hint = 'envelope_write_denied';
  end if;
  return case tg_level when 'ROW' then new end;
end $$;
comment on function private.require_edge() is
  'Rejects an envelope that an API role writes without the edge token. Only the edge can know whether an envelope can be decrypted, and the database cannot.';

grant execute on function private.admit_edge(text) to authenticated;
