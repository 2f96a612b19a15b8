create function private.envelope_header(envelope text) returns jsonb
language sql immutable strict parallel safe set search_path = ''
return convert_from(
  decode(
    rpad(
      translate(split_part(envelope, '.', 1), '-_', '+/'),
      (length(split_part(envelope, '.', 1)) + 3) / 4 * 4, '='),
    'base64'),
  'UTF8')::jsonb;
comment on function private.envelope_header(text) is
  'The protected header of an envelope (JWE compact serialization, RFC 7516): what the master key authenticates.';

create function private.envelope_names(
  envelope text, client_id uuid, chain text, address text, key_id uuid
) returns boolean
language sql immutable parallel safe set search_path = ''
return coalesce(
  length(envelope) <= 2048
  and envelope ~ '^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+){4}$'
  and private.envelope_header(envelope) @> jsonb_build_object(
    'alg', 'A256GCMKW', 'enc', 'A256GCM',
    'sub', client_id, 'chain', chain, 'address', address, 'jti', key_id)
  and key_id is not null,
  false);
comment on function private.envelope_names(text, uuid, text, text, uuid) is
  'Whether an envelope''s authenticated header names this client, chain, address and key id.';

grant execute on function
  private.envelope_header(text), private.envelope_names(text, uuid, text, text, uuid)
to authenticated;
