/** Clients with bots, keys and tokens, created by the operator in as few statements as possible. */
import type postgres from 'postgres';
import type { SealedWallet } from '../../src/database/as-caller.ts';
import { hashOfMachineToken, newMachineToken } from '../../src/machine-token.ts';
import { type Client, sealedWallet } from '../database/actions.ts';

export interface Household extends Client {
  readonly address: string;
  readonly bots: readonly string[];
  /** Signs for the first 100 bots. */
  readonly machineToken: string;
}

export interface HouseholdOptions {
  readonly bots: number;
  readonly botType?: string;
  /** The trading key; without it an envelope that nobody can open. */
  readonly keyOf?: (clientId: string) => SealedWallet | Promise<SealedWallet>;
  readonly withToken?: boolean;
}

/** Clients with an account, and with nothing else. */
export async function newClients(sql: postgres.Sql, count: number): Promise<Client[]> {
  return sql<Client[]>`
    with accounts as (
      insert into auth.users (id, aud, role, email, email_confirmed_at)
      select gen_random_uuid(), 'authenticated', 'authenticated', gen_random_uuid() || '@bench.test', now()
      from generate_series(1, ${count}) returning id, email)
    insert into public.clients (name, email, user_id) select 'A client', email, id from accounts
    returning id as "clientId", user_id as "userId"`;
}

/** Clients whose bots run, each bot with one wallet that holds a copy of the trading key. */
export async function newHouseholds(
  sql: postgres.Sql,
  count: number,
  { bots, botType = 'evm-grid', keyOf = sealedWallet, withToken = true }: HouseholdOptions,
): Promise<Household[]> {
  const clients = await newClients(sql, count);
  const ids = clients.map(({ clientId }) => clientId);
  const keys = await Promise.all(ids.map(async (id) => ({ client_id: id, ...(await keyOf(id)) })));
  const tokens = ids.map(() => newMachineToken());
  const rows = await sql.begin(async (tx) => {
    await tx`insert into public.trading_keys ${tx(keys)}`;
    const made = await tx<{ id: string; client_id: string }[]>`
      insert into public.bots (client_id, bot_type, name)
      select client_id, ${botType}, 'A bot'
      from unnest(${ids}::uuid[]) as client_id, generate_series(1, ${bots}) returning id, client_id`;
    await tx`insert into public.bot_wallets (bot_id, client_id, address, chain)
      select bots.id, client_id, keys.address, keys.chain
      from public.bots join public.trading_keys as keys using (client_id) where client_id = any (${ids}::uuid[])`;
    await tx`update public.bots set status = 'running' where client_id = any (${ids}::uuid[])`;
    if (withToken)
      await tx`with given as (
        select * from unnest(${ids}::uuid[], ${tokens.map(hashOfMachineToken)}::text[]) as given (client_id, hash)),
      issued as (
        insert into public.machine_tokens (client_id, name, token_hash)
        select client_id, 'A runner', decode(hash, 'hex') from given returning id, client_id)
      insert into public.machine_token_bots (token_id, bot_id, client_id)
      select issued.id, bots.id, issued.client_id from issued
      cross join lateral (
        select bots.id from public.bots where bots.client_id = issued.client_id order by bots.id limit 100) as bots`;
    return made;
  });
  // As the cron does within a minute. Otherwise the first calls would chain the events that were queued here.
  await sql`select private.chain_key_events(client_id, 1000000, true) from unnest(${ids}::uuid[]) as client_id`;
  const byClient = Map.groupBy(rows, (row) => row.client_id);
  return clients.map((client, n) => ({
    ...client,
    address: keys[n]?.address ?? '',
    bots: (byClient.get(client.clientId) ?? []).map(({ id }) => id),
    machineToken: tokens[n] ?? '',
  }));
}

export async function newHousehold(sql: postgres.Sql, options: HouseholdOptions): Promise<Household> {
  const [household] = await newHouseholds(sql, 1, options);
  if (!household) throw new TypeError('unreachable: one client was requested');
  return household;
}

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
