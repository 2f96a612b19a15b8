create function private.envelope_header(envelope text) returns jsonb
language sql immutable strict parallel safe set search_path = ''
return (
  -- A member given twice could be one thing to this reader and another to the next.
  select case when header is json object with unique keys then header::jsonb end
  from convert_from(
    decode(
      rpad(
        translate(split_part(envelope, '.', 1), '-_', '+/'),
        (length(split_part(envelope, '.', 1)) + 3) / 4 * 4, '='),
      'base64'),
    'UTF8') as header);
comment on function private.envelope_header(text) is
  'The protected header of an envelope (JWE compact serialization, RFC 7516): what the master key authenticates.';

create function private.envelope_names(
  envelope text, client_id uuid, chain text, address text, key_id uuid
) returns boolean
-- Not in SQL: a rotation runs this for every wallet, and a function in SQL is planned anew for each.
language plpgsql immutable parallel safe set search_path = '' as $$
declare
  header jsonb;
begin
  -- After the header: wrapped data key (32 bytes), IV (12), ciphertext (32), tag (16), in canonical base64url.
  if not coalesce(length(envelope) <= 2048 and key_id is not null and envelope ~ (
    '^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]\.[A-Za-z0-9_-]{16}'
    '\.[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]\.[A-Za-z0-9_-]{21}[AQgw]$'), false)
  then
    return false;
  end if;
  header := private.envelope_header(envelope);
  return coalesce(
    header @> jsonb_build_object(
      'alg', 'A256GCMKW', 'enc', 'A256GCM', 'typ', 'trading-key+jwe',
      'sub', client_id, 'chain', chain, 'address', address, 'jti', key_id)
    and jsonb_typeof(header -> 'kid') = 'string',
    false);
end $$;
comment on function private.envelope_names(text, uuid, text, text, uuid) is
  'Whether an envelope has the form of ours and its authenticated header names this client, chain, address and key id.';

create function private.address_key(address text) returns text
language sql immutable strict parallel safe set search_path = ''
return case when address like '0x%' then lower(address) else address end;
comment on function private.address_key(text) is
  'What tells addresses apart: capital letters of an EVM address are its checksum only.';

grant execute on function
  private.address_key(text),
  private.envelope_header(text), private.envelope_names(text, uuid, text, text, uuid)
to authenticated;
