/** What must hold for a client's keys in every snapshot that a reader can see, whatever runs concurrently. */
import type postgres from 'postgres';

/**
 * Returns each violation as a line, from one snapshot, for these clients. An empty list means that all invariants hold. The
 * connection needs a role that reads envelopes (the owner).
 */
export async function violationsOf(sql: postgres.ISql, clientIds: readonly string[]): Promise<string[]> {
  const rows = await sql<{ violation: string }[]>`
    with mine as (
      select id, key_version from public.clients where id = any (${[...clientIds]}::uuid[])
    ), keys as (
      select t.* from public.trading_keys as t join mine on mine.id = t.client_id
    ), wallets as (
      select w.* from public.bot_wallets as w join mine on mine.id = w.client_id
    ), events as (
      select e.* from private.every_key_event as e join mine on mine.id = e.client_id
    ), latest as (
      -- The number of a key is given out under the client's lock: the highest is the last.
      select distinct on (client_id) * from events
      where event in ('key_added', 'key_rotated') order by client_id, key_version desc
    ), held as (
      select client_id, address from public.trading_keys
      union all
      select client_id, address from public.bot_wallets where encrypted_key is not null
    )
    select concat('two trading keys: client ', client_id) as violation
    from keys group by client_id having count(*) > 1
    union all
    select concat('a ciphertext without a trading key: wallet ', w.id)
    from wallets as w left join keys as k using (client_id)
    where k.id is null and (w.encrypted_key is not null or w.key_id is not null)
    union all
    select concat('an empty wallet beside a trading key: wallet ', w.id)
    from wallets as w join keys as k using (client_id) where w.encrypted_key is null
    union all
    select concat('a torn copy of the trading key: wallet ', w.id)
    from wallets as w join keys as k using (client_id)
    where (w.key_id = k.key_id or w.address = k.address or w.encrypted_key = k.encrypted_key)
      and (w.key_id, w.address, w.chain, w.encrypted_key)
        is distinct from (k.key_id, k.address, k.chain, k.encrypted_key)
    union all
    select concat('a key that a rotation did not replace: wallet ', w.id)
    from wallets as w join keys as k using (client_id) join latest as l using (client_id)
    where w.key_id <> k.key_id and not exists (
      -- Ids of events begin with the millisecond, 48 bits of it.
      select from events as e
      where e.event = 'wallet_added' and e.bot_id = w.bot_id and e.key_id = w.key_id
        and left(e.id::text, 13) >= left(l.id::text, 13))
    union all
    select concat('a bot that runs without a key of its chain family: bot ', b.id)
    from public.bots as b join mine on mine.id = b.client_id join public.bot_types as bt on bt.id = b.bot_type
    where b.status = 'running' and not exists (
      select from wallets as w
      where w.bot_id = b.id and w.encrypted_key is not null and w.chain = bt.chain)
    union all
    select concat('an address of two clients: ', a.address)
    from held as a join mine on mine.id = a.client_id
    join held as b on b.address = a.address and b.client_id <> a.client_id
    union all
    select concat('a wallet twice: bot ', bot_id) from wallets group by bot_id, address having count(*) > 1
    union all
    select concat('numbers and events of keys disagree: client ', mine.id)
    from mine left join events as e on e.client_id = mine.id and e.event in ('key_added', 'key_rotated')
    group by mine.id, mine.key_version
    having count(e.id) <> mine.key_version or count(distinct e.key_version) <> mine.key_version
      or coalesce(max(e.key_version), 0) <> mine.key_version
    union all
    select concat('the trading key is not that of the last event: client ', k.client_id)
    from keys as k join mine on mine.id = k.client_id left join latest as l using (client_id)
    where (k.version, k.key_id, k.address) is distinct from (mine.key_version, l.key_id, l.address)
      or l.key_version is distinct from k.version
    union all
    select concat('keys added, revoked and held do not add up: client ', mine.id)
    from mine
    where (select count(*) from events as e where e.client_id = mine.id and e.event = 'key_added')
      <> (select count(*) from events as e where e.client_id = mine.id and e.event = 'key_revoked')
        + (select count(*) from keys as k where k.client_id = mine.id)
    union all
    select concat('signed with a key that was never added: event ', s.id)
    from events as s
    where s.event = 'key_released' and not exists (
      select from events as e
      where e.client_id = s.client_id and e.key_id = s.key_id
        and e.event in ('key_added', 'key_rotated', 'wallet_added'))
    union all
    select concat('a machine token without a bot: token ', t.id)
    from public.machine_tokens as t join mine on mine.id = t.client_id
    where not exists (select from public.machine_token_bots as signs where signs.token_id = t.id)
    union all
    select concat('a bot that was set up without its wallet: bot ', b.id)
    from public.bots as b join mine on mine.id = b.client_id
    where b.started_at is not null and not exists (select from wallets as w where w.bot_id = b.id)
    order by violation`;
  return rows.map((row) => row.violation);
}
