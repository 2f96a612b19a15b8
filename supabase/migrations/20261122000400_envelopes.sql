create function private.envelope_names(
  envelope text, client_id uuid, chain text, address text, key_id uuid
) returns boolean
language plpgsql immutable parallel safe set search_path = '' as $$
declare
  encoded text := split_part(envelope, '.', 1);
  header text;
  master_key_id text;
  iv text;
  tag text;
begin
  -- This runs for every wallet of a rotation. So it makes no JSON of the header, which also leaves nothing for two
  -- readers to read differently, and no count stands in a regular expression: each would make it a hundred states.
  if (
    octet_length(envelope) <= 2048
    -- After the header: wrapped data key (32 bytes), IV (12), ciphertext (32), tag (16).
    and envelope like
      '%.' || repeat('_', 43) || '.' || repeat('_', 16) || '.' || repeat('_', 43) || '.' || repeat('_', 22)
    -- All in canonical base64url, of which a header in ASCII needs neither - nor _.
    and envelope ~ (
      '^[A-Za-z0-9]+\.[A-Za-z0-9_-]+[AEIMQUYcgkosw048]\.[A-Za-z0-9_-]+'
      '\.[A-Za-z0-9_-]+[AEIMQUYcgkosw048]\.[A-Za-z0-9_-]+[AQgw]$')
    -- What '}' or '"}' at the end looks like with no bit left over. A length of one more than that is none.
    and encoded like case octet_length(encoded) % 4 when 0 then '%' when 2 then '%fQ' when 3 then '%In0' end
  ) is not true then return false; end if;
  -- "escape" leaves ASCII as it is, but for the backslash, and no byte makes it fail.
  header := encode(decode(encoded || repeat('=', -octet_length(encoded) & 3), 'base64'), 'escape');
  -- What the row does not tell: three of the texts between the header's quotation marks.
  master_key_id := split_part(header, '"', 16);
  iv := split_part(header, '"', 36);
  tag := split_part(header, '"', 40);
  return coalesce(
    octet_length(master_key_id) between 1 and 64 and octet_length(iv) = 16 and octet_length(tag) = 22
    and chain || address || master_key_id || '.' || iv || tag ~ '^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+[AQgw]$'
    and header =
      '{"alg":"A256GCMKW","enc":"A256GCM","typ":"trading-key+jwe","kid":"' || master_key_id
      || '","sub":"' || client_id || '","chain":"' || chain || '","address":"' || address
      || '","jti":"' || key_id || '","iv":"' || iv || '","tag":"' || tag || '"}',
    false);
end $$;
comment on function private.envelope_names(text, uuid, text, text, uuid) is
  'Whether an envelope is one that the edge could have written for this client, chain, address and key id: its header is compared as text, members in the order of src/crypto/envelope.ts and nothing beside them.';

create function private.address_key(address text) returns text
language plpgsql immutable strict parallel safe set search_path = '' as $$
begin
  return case when address like '0x%' then lower(address) else address end;
end $$;
comment on function private.address_key(text) is
  'What tells addresses apart: capital letters of an EVM address are its checksum only.';

grant execute on function
  private.address_key(text),
  private.envelope_names(text, uuid, text, text, uuid)
to authenticated;
