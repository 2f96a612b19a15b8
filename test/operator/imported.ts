/** The rows of an imported client in our database, and what its bots sign. */

import { recoverMessageAddress } from 'viem';
import { expect } from 'vitest';
import { call } from '../support/api.ts';
import { stored } from '../support/bots.ts';
import { type ClientPerson, newAdmin, operatorSql } from '../support/people.ts';

export const admin = await newAdmin();

/** The client with this e-mail; an admin acts for it. */
export async function clientOf(email: string): Promise<ClientPerson> {
  const [client] = await operatorSql<{ id: string }>('select id from public.clients where email = $1', [
    email,
  ]);
  return { ...admin, email, clientId: client?.id ?? '' };
}

/** Trading key and wallets by address, bots by status, events by kind and actor. */
export async function stateOf(email: string) {
  const client = await clientOf(email);
  const { trading, wallets } = await stored(client);
  const bots = await operatorSql<{ state: string }>(
    `select concat_ws(' ', bot_type, status, stop_reason) as state from public.bots
     where client_id = $1 order by id`,
    [client.clientId],
  );
  const events = await operatorSql<{ line: string }>(
    `select concat_ws(' ', event, address, 'by', actor) as line from private.every_key_event
     where client_id = $1 order by id`,
    [client.clientId],
  );
  return {
    trading: trading?.address,
    wallets: wallets.map((wallet) =>
      wallet.key_id === null
        ? 'empty'
        : `${wallet.key_id === trading?.key_id ? 'trading' : 'own'} ${wallet.address}`,
    ),
    bots: bots.map(({ state }) => state),
    events: events.map(({ line }) => line),
  };
}

/** The address that signed, for each wallet of each bot of a client. Bots are started and called through the API. */
export async function signers(email: string): Promise<string[]> {
  const client = await clientOf(email);
  const bots = await call(`GET /clients/${client.clientId}/bots`, { token: admin.token });
  const found: string[] = [];
  for (const bot of bots.json.items) {
    if (bot.wallets.length === 0) continue;
    const started = await call(`POST /bots/${bot.id}/start`, { token: admin.token });
    expect([started.status, started.json.status]).toEqual([200, 'running']);
    const issued = await call(`POST /bots/${bot.id}/tokens`, {
      token: admin.token,
      body: { name: 'a runner' },
    });
    for (const wallet of bot.wallets) {
      const body = { type: 'evm.message', message: 'hello', wallet: wallet.id };
      const signed = await call(`POST /bots/${bot.id}/sign`, { token: issued.json.token, body });
      expect(signed.status).toBe(200);
      expect(signed.json.address).toBe(wallet.address);
      found.push(await recoverMessageAddress({ message: 'hello', signature: signed.json.signature }));
    }
  }
  return found.sort();
}
