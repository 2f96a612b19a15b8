-- The people of these tests and how they act. Every test file includes this one and rolls it back.
--
-- ada is an admin, anna and boris are clients, eve has an account and no client. A key is named by its address:
-- the tests' keys are called A, B, C, since the database leaves the form of an address to the edge.
create schema tests;
grant usage on schema tests to public;

create function tests.account_id(person text) returns uuid language sql immutable
return md5('account ' || person)::uuid;

create function tests.client_id(person text) returns uuid language sql immutable
return md5('client ' || person)::uuid;

create function tests.key_id(address text) returns uuid language sql immutable
return md5('key ' || address)::uuid;

create function tests.email(person text) returns text language sql immutable
return person || '@pgtap.test';

create function tests.sign_up(person text, confirmed boolean default true) returns uuid language sql
begin atomic
  insert into auth.users (id, aud, role, email, email_confirmed_at)
  values (tests.account_id(person), 'authenticated', 'authenticated', tests.email(person),
    case when confirmed then now() end)
  returning id;
end;

create function tests.create_client(person text) returns uuid language sql
begin atomic
  insert into public.clients (id, name, email)
  values (tests.client_id(person), person, tests.email(person))
  returning id;
end;

-- acting ------------------------------------------------------------------------------------------------------

create function tests.act_as(person text) returns void language plpgsql as $$
declare
  api_role constant text := case person when 'operator' then 'none' when 'anon' then 'anon' else 'authenticated' end;
  sub constant text := case when api_role = 'authenticated' then tests.account_id(person)::text end;
begin
  perform set_config('role', api_role, true);
  perform set_config('request.jwt.claim.sub', coalesce(sub, ''), true);
  perform set_config('request.jwt.claims',
    case api_role when 'none' then '' else jsonb_strip_nulls(jsonb_build_object('role', api_role, 'sub', sub))::text end,
    true);
end $$;
comment on function tests.act_as(text) is
  'From here on this person''s session, as PostgREST makes it. "operator" is the owner at the SQL prompt.';

create function tests.refusal(statement text) returns text language plpgsql as $$
declare
  hint text;
begin
  execute statement;
  return 'allowed';
exception when others then
  get stacked diagnostics hint = pg_exception_hint;
  return trim(sqlstate || ' ' || case when sqlstate like 'PT%' then hint else '' end);
end $$;
comment on function tests.refusal(text) is 'Runs a statement: its errcode, with the hint of our own codes, or "allowed".';

create function tests.rows_of(statement text) returns bigint language plpgsql as $$
declare
  affected bigint;
begin
  execute statement;
  get diagnostics affected = row_count;
  return affected;
end $$;
comment on function tests.rows_of(text) is 'Runs a statement and counts the rows that it touched.';

-- keys --------------------------------------------------------------------------------------------------------

create function tests.base64url(bytes bytea) returns text language sql immutable
return translate(rtrim(replace(encode(bytes, 'base64'), e'\n', ''), '='), '+/', '-_');

create function tests.envelope_of(header text) returns text language sql immutable
return concat_ws('.',
  tests.base64url(convert_to(header, 'UTF8')),
  tests.base64url(sha256(convert_to('wrapped ' || header, 'UTF8'))),
  tests.base64url(substring(sha256(convert_to('iv ' || header, 'UTF8')) for 12)),
  tests.base64url(sha256(convert_to('ciphertext ' || header, 'UTF8'))),
  tests.base64url(substring(sha256(convert_to('tag ' || header, 'UTF8')) for 16)));
comment on function tests.envelope_of(text) is 'An envelope with this header and, in the right form, bytes that open with no key.';

create function tests.header(
  person text, address text, chain text default 'evm', master_key_id text default 'first'
) returns jsonb language sql immutable
return jsonb_build_object(
  'alg', 'A256GCMKW', 'enc', 'A256GCM', 'typ', 'trading-key+jwe', 'kid', master_key_id,
  'sub', tests.client_id(person), 'chain', chain, 'address', address, 'jti', tests.key_id(address),
  'iv', 'AAAAAAAAAAAAAAAA', 'tag', 'AAAAAAAAAAAAAAAAAAAAAA');

create function tests.envelope(
  person text, address text, chain text default 'evm', master_key_id text default 'first'
) returns text language sql immutable
return tests.envelope_of(tests.header(person, address, chain, master_key_id)::text);

create function tests.wallet(person text, address text, chain text default 'evm') returns jsonb
language sql immutable
return jsonb_build_object(
  'address', address, 'chain', chain, 'key_id', tests.key_id(address),
  'encrypted_key', tests.envelope(person, address, chain));

-- The use cases, for a person and a key by name.

create function tests.create_bot(person text, bot text, wallets jsonb default '[]', bot_type text default 'evm-grid')
returns jsonb language sql
return public.create_bot(tests.client_id(person), bot_type, bot, '{}', wallets);

create function tests.setup_bot(person text, bot text, wallet jsonb default '{}', bot_type text default 'evm-grid')
returns jsonb language sql
return public.setup_bot(tests.client_id(person), bot_type, bot, '{}', wallet);

create function tests.rotate(person text, address text, chain text default 'evm') returns jsonb language sql
return public.rotate_key(
  tests.client_id(person), address, chain, tests.key_id(address), tests.envelope(person, address, chain));

create function tests.put_in(person text, address text, chain text default 'evm') returns void language sql
begin atomic
  insert into public.trading_keys (client_id, address, chain, key_id, encrypted_key)
  values (tests.client_id(person), address, chain, tests.key_id(address), tests.envelope(person, address, chain));
end;
comment on function tests.put_in(text, text, text) is 'A first key straight into the table.';

create function tests.replace_by(person text, address text, chain text default 'evm') returns bigint
language plpgsql as $$
declare
  affected bigint;
begin
  update public.trading_keys as t
    set address = replace_by.address, chain = replace_by.chain, key_id = tests.key_id(replace_by.address),
      encrypted_key = tests.envelope(person, replace_by.address, replace_by.chain)
    where t.client_id = tests.client_id(person);
  get diagnostics affected = row_count;
  return affected;
end $$;
comment on function tests.replace_by(text, text, text) is 'A rotation straight in the table: how many rows it touched.';

-- looking, whoever acts ---------------------------------------------------------------------------------------

create function tests.bot_id(bot text) returns uuid language sql stable security definer
return (
  select bots.id from public.bots join public.clients on clients.id = bots.client_id
  where clients.email like '%@pgtap.test' and bots.name = bot);

create function tests.trading_key(person text) returns text language sql stable security definer
return (
  select format('%s version %s under %s', t.address, t.version, t.master_key_id)
  from public.trading_keys as t where t.client_id = tests.client_id(person));

create function tests.wallets(person text) returns text[] language sql stable security definer
return (
  select coalesce(array_agg(format('%s: %s %s', bots.name, w.address,
    case
      when w.key_id is null and w.encrypted_key is null then 'empty'
      when w.key_id = t.key_id and w.encrypted_key = t.encrypted_key and w.address = t.address and w.chain = t.chain
        then 'trading'
      when w.key_id = t.key_id or w.encrypted_key = t.encrypted_key or w.address = t.address then 'torn'
      else 'own' end) order by bots.name, w.address), '{}')
  from public.bot_wallets as w join public.bots on bots.id = w.bot_id
  left join public.trading_keys as t on t.client_id = w.client_id
  where w.client_id = tests.client_id(person));
comment on function tests.wallets(text) is
  'Every wallet as "bot: address trading|own|empty", or torn where it agrees with the trading key only in part.';

create function tests.bots(person text) returns text[] language sql stable security definer
return (
  select coalesce(array_agg(trim(format('%s: %s %s', name, status, stop_reason)) order by name), '{}')
  from public.bots where client_id = tests.client_id(person));

create function tests.events(person text) returns text[] language sql stable security definer
return (
  select coalesce(array_agg(trim(format('%s %s %s by %s', event, address, key_version, actor)) order by cmin::text::bigint), '{}')
  from public.key_events where client_id = tests.client_id(person));

grant execute on all functions in schema tests to public;

select tests.sign_up(person) from unnest('{ada, anna, boris, eve}'::text[]) as person;
insert into private.admins (user_id) values (tests.account_id('ada'));
select tests.create_client(person) from unnest('{anna, boris}'::text[]) as person;
