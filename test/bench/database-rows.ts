/** Clients with bots, keys and tokens, in the state that a minute of the cron leaves. */
import type postgres from 'postgres';
import { type Client, type ClientRowsOptions, Rows } from '../support/rows.ts';

export interface Household extends Client {
  readonly address: string;
  readonly bots: readonly string[];
  /** Signs for the first 100 bots. */
  readonly machineToken: string;
}

/** Clients whose bots run, each bot with one wallet that holds a copy of the trading key. */
export async function newHouseholds(
  sql: postgres.Sql,
  count: number,
  options: ClientRowsOptions = {},
): Promise<Household[]> {
  const made = await sql.begin((tx) => new Rows(tx).newClientsWithBots(count, options));
  const ids = made.map(({ client }) => client.clientId);
  // As the cron does within a minute. Otherwise the first calls would chain the events that were queued here.
  await sql`select private.chain_key_events(client_id, 1000000, true) from unnest(${ids}::uuid[]) as client_id`;
  return made.map(({ client, address, bots, tokens }) => ({
    ...client,
    address,
    bots,
    machineToken: tokens[0]?.token ?? '',
  }));
}

export async function newHousehold(sql: postgres.Sql, options: ClientRowsOptions): Promise<Household> {
  const [household] = await newHouseholds(sql, 1, options);
  if (!household) throw new TypeError('unreachable: one client was requested');
  return household;
}
