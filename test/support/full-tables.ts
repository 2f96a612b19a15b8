/** Tables of a million rows. */
import type postgres from 'postgres';

/**
 * Adds this many wallets, each of its own bot, ten to a client, with all the rows that a bot collects. Needs a superuser and a
 * transaction. It runs without triggers, which would take most of the time.
 */
export async function fillTables(sql: postgres.ISql, wallets: number): Promise<void> {
  await sql`set local session_replication_role = replica`;
  await sql`create temporary table filler on commit drop as
    select private.uuid_v7() as client_id, 'filler-' || gen_random_uuid() || '@bench.test' as email
    from generate_series(1, ${wallets / 10})`;
  await sql`insert into auth.users (id, aud, role, email)
    select client_id, 'authenticated', 'authenticated', email from filler`;
  await sql`insert into public.clients (id, name, email, user_id)
    select client_id, 'A client', email, client_id from filler`;
  await sql`create temporary table filler_keys on commit drop as
    select client_id, gen_random_uuid() as key_id,
      '0x' || encode(substring(sha256(client_id::text::bytea) for 20), 'hex') as address
    from filler`;
  await sql`alter table filler_keys add envelope text`;
  await sql`update filler_keys set envelope = concat_ws('.',
    rtrim(replace(encode(convert_to(
      '{"alg":"A256GCMKW","enc":"A256GCM","typ":"trading-key+jwe","kid":"nobody","sub":"' || client_id
      || '","chain":"evm","address":"' || address || '","jti":"' || key_id
      || '","iv":"AAAAAAAAAAAAAAAA","tag":"AAAAAAAAAAAAAAAAAAAAAA"}', 'UTF8'), 'base64'), e'\n', ''), '='),
    repeat('A', 43), repeat('A', 16), repeat('A', 43), repeat('A', 22))`;
  await sql`insert into public.trading_keys (client_id, address, chain, key_id, version, encrypted_key)
    select client_id, address, 'evm', key_id, 1, envelope from filler_keys`;
  await sql`insert into public.bots (client_id, bot_type, name, status, stop_reason, started_at)
    select client_id, 'evm-grid', 'A bot', 'running', null, now() from filler, generate_series(1, 10)`;
  await sql`insert into public.bot_wallets (bot_id, client_id, address, chain, key_id, encrypted_key)
    select bots.id, client_id, address, 'evm', key_id, envelope
    from filler_keys join public.bots using (client_id)`;
  await sql`insert into public.key_events (
      client_id, seq, id, event, bot_id, address, chain, key_id, actor, created_at, signatures, previous_hash, hash)
    select client_id, seq, gen_random_uuid(), 'key_released', bot_id, address, 'evm', key_id, 'runner', now(), seq,
      case when seq > 1 then sha256('a hash') end, sha256('a hash')
    from (
      select *, bots.id as bot_id, row_number() over (partition by client_id order by bots.id) as seq
      from filler_keys join public.bots using (client_id)) as events`;
  await sql`insert into public.bot_policies (bot_id, client_id, max_value_24h)
    select bots.id, client_id, 1000 from filler join public.bots using (client_id)`;
  await sql`insert into public.value_reservations (bot_id, client_id, value)
    select bots.id, client_id, 1 from filler join public.bots using (client_id)`;
  await sql`insert into public.bot_heartbeats (bot_id, client_id, status)
    select bots.id, client_id, 'ok' from filler join public.bots using (client_id)`;
  await sql`with tokens as (
      insert into public.machine_tokens (client_id, name, token_hash)
      select client_id, 'A runner', sha256(client_id::text::bytea) from filler returning id, client_id)
    insert into public.machine_token_bots (token_id, bot_id, client_id)
    select tokens.id, bots.id, client_id from tokens join public.bots using (client_id)`;
  await sql`drop table filler, filler_keys`;
  await sql`set local session_replication_role = origin`;
  await sql`analyze`;
}
