begin;
\ir ../people.psql
select plan(30);

-- Wallets and bots change in the same way, whoever changes the trading key, with the function or directly in the table.
create function tests.prepare(person text) returns void language plpgsql as $$
begin
  perform tests.act_as('operator');
  insert into public.bots (client_id, bot_type, name, config)
    select tests.client_id(person), bot_type, name, '{}'
    from (values ('evm-grid', 'grid'), ('evm-dca', 'dca'), ('solana-dca', 'sol'),
    ('evm-grid', 'bare')) as b (bot_type, name);
  perform tests.put_in(person, person || 1);
  insert into public.bot_wallets (bot_id, client_id, address, chain, key_id, encrypted_key)
    select bots.id, bots.client_id, person || own, 'evm', tests.key_id(person || own),
    tests.envelope(person, person || own)
    from public.bots
    join (values (1, 'grid', '1'), (2, 'grid', 'own'), (3, 'grid', 'own2'), (4, 'dca', 'own')) as w (place, bot,
    own)
      on w.bot = bots.name
    where bots.client_id = tests.client_id(person) order by w.place;
  update public.bots set status = 'running' where client_id = tests.client_id(person) and name in ('grid', 'dca');
end $$;

create function tests.rewrap(person text, address text, master_key_id text) returns bigint language plpgsql as $$
declare
  affected bigint;
begin
  perform private.admit_edge('edge');
  update public.trading_keys as t set encrypted_key = tests.envelope(person, rewrap.address, 'evm',
  rewrap.master_key_id)
    where t.client_id = tests.client_id(person);
  get diagnostics affected = row_count;
  perform set_config('trading_keys.edge', '', true);
  return affected;
end $$;
grant execute on all functions in schema tests to public;

select tests.sign_up(person) from unnest('{byclient, byfunction, byadmin, byoperator}'::text[]) as person;
select tests.create_client(person) from unnest('{byclient, byfunction, byadmin, byoperator}'::text[]) as person;

create table tests.ways (person text primary key, actor text, role text);
insert into tests.ways values
  ('byclient', 'byclient', 'client'), ('byfunction', 'byfunction', 'client'),
  ('byadmin', 'ada', 'admin'), ('byoperator', 'operator', 'operator');
grant select on tests.ways to public;

create function tests.play(way tests.ways) returns setof text language plpgsql as $$
declare
  person constant text := way.person;
begin
  perform tests.prepare(person);
  perform tests.act_as(way.actor);
  if person = 'byfunction' then
    perform tests.rotate(person, person || 2);
  else
    perform tests.replace_by(person, person || 2);
  end if;
  return next is(tests.wallets(person),
    array[format('dca: %s2 trading', person), format('grid: %s2 trading', person)],
    person || ': a rotation writes the new key to every wallet, and a bot has it only once');
  return next is(tests.bots(person),
    array['bare: stopped created', 'dca: running', 'grid: running', 'sol: stopped created'],
    person || ': a rotation stops no bot');

  perform tests.rewrap(person, person || 2, 'second');
  return next is(tests.trading_key(person), person || '2 version 2 under second',
    person || ': a rewrap keeps the version and changes the master key');
  return next is(tests.wallets(person),
    array[format('dca: %s2 trading', person), format('grid: %s2 trading', person)],
    person || ': a rewrap updates the wallets too');

  if person = 'byfunction' then
    perform public.revoke_key(tests.client_id(person));
  else
    delete from public.trading_keys where client_id = tests.client_id(person);
  end if;
  return next is(tests.wallets(person),
    array[format('dca: %s2 empty', person), format('grid: %s2 empty', person)],
    person || ': a revocation removes every ciphertext');
  return next is(tests.bots(person),
    array['bare: stopped created', 'dca: stopped key_revoked', 'grid: stopped key_revoked', 'sol: stopped created'],
    person || ': a revocation stops every bot');

  perform tests.act_as('operator');
  return next is(tests.events(person), array[
      format('key_added %s1 1 by operator', person),
      format('wallet_added %s1 by operator', person),
      format('wallet_added %sown by operator', person),
      format('wallet_added %sown2 by operator', person),
      format('wallet_added %sown by operator', person),
      format('key_rotated %s2 2 by %s', person, way.role),
      format('key_rewrapped %s2 2 by %s', person, way.role),
      format('key_revoked %s2 2 by %s', person, way.role)],
    person || ': each change is an event with its actor');
end $$;

select tests.play(ways) from tests.ways;

-- Wallets that a revocation left empty get the next first key at once.
select tests.act_as('byclient');
select tests.put_in('byclient', 'next');
select is(tests.wallets('byclient'), array['dca: next trading', 'grid: next trading'],
  'wallets that a revocation left empty get the next first key');
select is(tests.trading_key('byclient'), 'next version 3 under first', 'the version number continues after a revocation');

select * from finish();
rollback;
