-- An address belongs to one client: see claim_address.

create function private.address_key(address text) returns text
language plpgsql immutable strict parallel safe set search_path = '' as $$
begin
  return case when address like '0x%' then lower(address) else address end;
end $$;
comment on function private.address_key(text) is
  'The form in which addresses are compared. An EVM address is compared in lower case, because its capital letters are only a checksum.';

create function private.claim_address(address text, client_id uuid) returns boolean
language plpgsql security definer set search_path = '' as $$
declare
  -- If two clients submit the same address at the same time, the second one waits here, whichever table they write.
  locked constant boolean := private.lock_address(claim_address.address);
begin
  if exists (
    select from public.trading_keys
    where private.address_key(trading_keys.address) = private.address_key(claim_address.address) and trading_keys.client_id <> claim_address.client_id
    union all
    select from public.bot_wallets
    where private.address_key(bot_wallets.address) = private.address_key(claim_address.address) and bot_wallets.client_id <> claim_address.client_id
      and bot_wallets.encrypted_key is not null
  ) then
    raise sqlstate 'PT409' using message = 'Another client holds a key with this address.', hint = 'address_taken';
  end if;
  return true;
end $$;
comment on function private.claim_address(text, uuid) is
  'Rejects an address whose key another client holds. A revoked or rotated key no longer holds its address.';

grant execute on function private.address_key(text) to authenticated;
