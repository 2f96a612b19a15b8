/** Households that live one after the other, several concurrently, until the time is over. Then everything is counted. */
import { setTimeout as wait } from 'node:timers/promises';
import { violationsOf } from '../support/invariants.ts';
import { Household } from './household.ts';
import { runOnce } from './runner.ts';
import { newStranger } from './stranger.ts';
import type { World } from './world.ts';

export interface LoadOptions {
  /** The number of concurrent households; each has an owner, runners and sometimes a stranger. */
  readonly households: number;
  readonly runners: number;
  /** When to end, in milliseconds since the epoch. */
  readonly until: number;
  /** Ends the run earlier. */
  readonly signal?: AbortSignal;
  /** On a slow machine the run continues until there were this many, for three times as long at most. */
  readonly leastRequests?: number;
  readonly steps?: number;
}

/** Runs to the end, or to the first impossible response. */
export async function runLoad(
  world: World,
  { households, runners, until, signal, leastRequests = 0, steps = 40 }: LoadOptions,
) {
  const lived: Household[] = [];
  const latest = until + 2 * (until - Date.now());
  const goesOn = () =>
    world.judge.wrong.length === 0 &&
    !signal?.aborted &&
    (Date.now() < until || (world.api.figures.requests < leastRequests && Date.now() < latest));

  async function live(): Promise<void> {
    const household = await Household.open(world);
    if (!household) {
      await wait(50);
      return;
    }
    lived.push(household);
    const stranger = await newStranger(world);
    const loop = async (once: () => Promise<void>, pauseMs: number) => {
      while (!household.over) {
        const before = world.api.figures.requests;
        await once();
        // Nothing to do yet, or the service does not respond: wait instead of spinning.
        await wait(world.api.figures.requests === before ? 20 : pauseMs);
      }
    };
    const around = [
      ...Array.from({ length: runners }, () => loop(() => runOnce(household), 0)),
      loop(() => stranger.once(household), 100),
    ];
    for (let step = 0; step < steps && goesOn(); step++) await household.step();
    household.over = true;
    await Promise.all(around);
  }

  const lane = async () => {
    while (goesOn()) await live();
  };
  await Promise.all(Array.from({ length: households }, lane));
  return lived;
}

/** Compares the database with the responses. */
export async function wrongInDatabase(world: World, lived: readonly Household[]): Promise<string[]> {
  const { sql, clientIds } = world;
  const wrong = await violationsOf(sql, clientIds);
  const rows = await sql<{ id: string; key_version: number; address: string | null }[]>`
    select clients.id, key_version, address from public.clients
    left join public.trading_keys on trading_keys.client_id = clients.id where clients.id = any (${clientIds})`;
  const events = await sql<{ key_id: string }[]>`
    select key_id from private.every_key_event
    where client_id = any (${clientIds}) and event in ('key_added', 'key_rotated')`;
  const known = new Set(events.map(({ key_id }) => key_id));
  for (const { clientId, keyIds, certain, tradingKey, version } of lived) {
    const row = rows.find(({ id }) => id === clientId);
    for (const keyId of keyIds) if (!known.has(keyId)) wrong.push(`a confirmed key is lost: ${keyId}`);
    if (!row || !tradingKey.now().includes(row.address))
      wrong.push(`another key than the confirmed one: client ${clientId}`);
    if (certain && row?.key_version !== version)
      wrong.push(`keys that no response confirmed: client ${clientId}`);
  }
  const [signed] = await sql<[{ count: number }]>`
    select count(*)::int from private.every_key_event where client_id = any (${clientIds}) and event = 'key_released'`;
  if (signed.count < world.signatures)
    wrong.push(`${world.signatures} signatures, ${signed.count} events of them`);
  return wrong;
}
