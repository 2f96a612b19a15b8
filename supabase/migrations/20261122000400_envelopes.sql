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
  -- This runs for every wallet of a rotation, so it must be fast. It compares the header as text and does not parse JSON,
  -- which two parsers could read differently. No regular expression has a count: a count makes a hundred states of it.
  if (
    octet_length(envelope) <= 2048
    -- After the header: the wrapped data key (32 bytes), IV (12), ciphertext (32) and tag (16).
    and envelope like
      '%.' || repeat('_', 43) || '.' || repeat('_', 16) || '.' || repeat('_', 43) || '.' || repeat('_', 22)
    -- All parts are canonical base64url. A header in ASCII never contains - or _.
    and envelope ~ (
      '^[A-Za-z0-9]+\.[A-Za-z0-9_-]+[AEIMQUYcgkosw048]\.[A-Za-z0-9_-]+'
      '\.[A-Za-z0-9_-]+[AEIMQUYcgkosw048]\.[A-Za-z0-9_-]+[AQgw]$')
    -- The encodings of '}' and '"}' at the end, without unused bits. Base64 never has a length of 4n + 1.
    and encoded like case octet_length(encoded) % 4 when 0 then '%' when 2 then '%fQ' when 3 then '%In0' end
  ) is not true then return false; end if;
  -- "escape" does not change ASCII except for the backslash, and it never fails.
  header := encode(decode(encoded || repeat('=', -octet_length(encoded) & 3), 'base64'), 'escape');
  -- The row does not contain these three values. They are read from between the quotation marks of the header.
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
  'Whether an envelope has the form that the edge writes, and its header names this client, chain, address and key id. The header is compared as text: exactly the members of src/crypto/envelope.ts, in that order.';

create function private.require_bound_envelope(
  envelope text, client_id uuid, chain text, address text, key_id uuid
) returns boolean
language plpgsql set search_path = '' as $$
begin
  if length(address) <= 64 and address ~ '^[0-9A-Za-z]+$'
    and private.envelope_names(envelope, client_id, chain, address, key_id)
  then return true; end if;
  raise sqlstate 'PT422' using
    message = 'The envelope is malformed, or its header names another client, chain, address or key id than the row.', hint = 'envelope_row_mismatch';
end $$;
comment on function private.require_bound_envelope(text, uuid, text, text, uuid) is
  'The same rule as the CHECK of both key tables, but with its own error code.';

grant execute on function private.envelope_names(text, uuid, text, text, uuid) to authenticated;
