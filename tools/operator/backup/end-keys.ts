import type { TransactionSql } from 'postgres';
import type { EndedKeys } from './ended-keys.ts';

const IDS_IN_A_STATEMENT = 5_000;

export interface EndedByLists {
  /** How many key ids were not recorded as ended before. */
  readonly recorded: number;
  /** Clients whose trading key was removed, together with every key of their wallets. */
  readonly clients: readonly string[];
  /** How many own keys were removed from wallets of clients whose trading key stays. */
  readonly ownKeys: number;
}

/**
 * Records that these key ids have ended, and removes the keys with these ids. Like a revocation, this fires the
 * triggers, which stop bots and record events. Ids that the database never held are recorded too.
 */
export async function endKeys(sql: TransactionSql, lists: readonly EndedKeys[]): Promise<EndedByLists> {
  let recorded = 0;
  for (const { keys } of lists) {
    for (let at = 0; at < keys.length; at += IDS_IN_A_STATEMENT) {
      const some = keys.slice(at, at + IDS_IN_A_STATEMENT);
      const { count } = await sql`
        insert into private.key_ids as known (key_id, client_id, held_since, ended_at)
        select given.key_id, given.client_id, given.ended_at, given.ended_at
        from jsonb_to_recordset(${JSON.stringify(some)}::text::jsonb)
          as given (key_id uuid, client_id uuid, ended_at timestamptz)
        on conflict (key_id) do update set ended_at = excluded.ended_at where known.ended_at is null`;
      recorded += count;
    }
  }
  const clients = await sql<{ client_id: string }[]>`
    delete from public.trading_keys
    where key_id in (select ended.key_id from private.key_ids as ended where ended.ended_at is not null)
    returning client_id`;
  const own = await sql<[{ keys: number }]>`
    with ended as (
      select wallets.id, wallets.key_id from public.bot_wallets as wallets
      join private.key_ids on key_ids.key_id = wallets.key_id and key_ids.ended_at is not null
    ), cleared as (
      update public.bot_wallets set key_id = null, encrypted_key = null
      where bot_wallets.id in (select ended.id from ended)
    )
    select count(distinct ended.key_id)::integer as keys from ended`;
  return { recorded, clients: clients.map(({ client_id }) => client_id).toSorted(), ownKeys: own[0].keys };
}
