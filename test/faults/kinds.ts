/** The kinds of call that faults are tested with, each with its effect on a client. */

import { call } from '../support/api.ts';
import { setUp } from '../support/bots.ts';
import { operatorSql } from '../support/people.ts';
import { newEvmKey, type TestKey } from '../support/private-keys.ts';
import { type ClientWithRunner, newClientWithRunner } from '../support/runners.ts';

/** A client with a trading key, a running bot with a machine token, and a stopped bot. */
export interface Household extends ClientWithRunner {
  readonly stoppedBotId: string;
  /** The private key that a rotation submits. */
  readonly nextKey: TestKey;
}

export async function newHousehold(): Promise<Household> {
  const client = await newClientWithRunner();
  const { json } = await setUp(client);
  await call(`POST /bots/${json.id}/stop`, { token: client.token });
  return { ...client, stoppedBotId: json.id, nextKey: newEvmKey() };
}

/** The rows of a client in the database, as numbers that a call changes. */
export interface State {
  readonly address: string | null;
  readonly version: number;
  readonly bots: number;
  readonly running: number;
  readonly sealedWallets: number;
  readonly tokens: number;
  readonly policies: number;
  readonly beats: number;
  readonly signed: number;
  readonly events: number;
}

export async function stateOf({ clientId }: Household): Promise<State> {
  const [state] = await operatorSql<State>(
    `select
      (select address from public.trading_keys where client_id = $1) as address,
      (select key_version from public.clients where id = $1) as version,
      (select count(*)::int from public.bots where client_id = $1) as bots,
      (select count(*)::int from public.bots where client_id = $1 and status = 'running') as running,
      (select count(*)::int from public.bot_wallets where client_id = $1 and encrypted_key is not null)
        as "sealedWallets",
      (select count(*)::int from public.machine_token_bots where client_id = $1) as tokens,
      (select count(*)::int from public.bot_policies where client_id = $1) as policies,
      (select count(*)::int from public.bot_heartbeats where client_id = $1) as beats,
      (select count(*)::int from private.every_key_event where client_id = $1 and event = 'key_released') as signed,
      (select count(*)::int from private.every_key_event
        where client_id = $1 and event <> 'key_released' and address is not null) as events`,
    [clientId],
  );
  if (!state) throw new Error('no such client');
  return state;
}

export interface Kind {
  readonly name: string;
  readonly line: (household: Household) => string;
  readonly body?: (household: Household) => object;
  readonly asRunner?: boolean;
  /** The database function that the call uses. */
  readonly calls: string;
  /** Whether the Worker retries the call if the database does not respond. */
  readonly repeated: boolean;
  /** The change in the state after the call was executed. */
  readonly change: (before: State, household: Household) => Partial<State>;
  /** The status of a retry if the call was not executed, and if it was. */
  readonly answers: readonly [first: number, again: number];
  /** The change by a retry if the call was executed before. If absent, it is the same as the first time. */
  readonly changeAgain?: (before: State, household: Household) => Partial<State>;
}

const nothing = () => ({});

export const KINDS: readonly Kind[] = [
  {
    name: 'read',
    line: ({ clientId }) => `GET /clients/${clientId}/trading-key`,
    calls: 'get_trading_key',
    repeated: true,
    change: nothing,
    answers: [200, 200],
  },
  {
    name: 'set up',
    line: ({ clientId }) => `POST /clients/${clientId}/setup-bot`,
    body: () => ({ bot_type: 'evm-grid' }),
    calls: 'setup_bot',
    repeated: false,
    change: ({ bots, running, sealedWallets, events }) => ({
      bots: bots + 1,
      running: running + 1,
      sealedWallets: sealedWallets + 1,
      events: events + 1,
    }),
    answers: [201, 201],
  },
  {
    name: 'rotate',
    line: ({ clientId }) => `PUT /clients/${clientId}/rotate-key`,
    body: ({ nextKey }) => ({ private_key: nextKey.privateKey }),
    calls: 'rotate_key',
    repeated: false,
    change: ({ version, events }, { nextKey }) => ({
      address: nextKey.address,
      version: version + 1,
      events: events + 1,
    }),
    answers: [200, 200],
  },
  {
    name: 'revoke',
    line: ({ clientId }) => `DELETE /clients/${clientId}/revoke-key`,
    calls: 'revoke_key_at_edge',
    repeated: false,
    change: ({ events }) => ({ address: null, running: 0, sealedWallets: 0, tokens: 0, events: events + 1 }),
    // `trading_key_missing` shows that the first call was executed.
    answers: [200, 404],
    changeAgain: nothing,
  },
  {
    name: 'start',
    line: ({ stoppedBotId }) => `POST /bots/${stoppedBotId}/start`,
    calls: 'start_bot',
    repeated: false,
    change: ({ bots }) => ({ running: bots }),
    answers: [200, 200],
  },
  {
    name: 'stop',
    line: ({ botId }) => `POST /bots/${botId}/stop`,
    calls: 'stop_bot',
    repeated: true,
    change: () => ({ running: 0 }),
    answers: [200, 200],
  },
  {
    name: 'sign',
    line: ({ botId }) => `POST /bots/${botId}/sign`,
    body: () => ({ type: 'evm.message', message: 'x' }),
    asRunner: true,
    calls: 'check_out_key',
    repeated: false,
    change: ({ signed }) => ({ signed: signed + 1 }),
    answers: [200, 200],
  },
  {
    name: 'heartbeat',
    line: ({ botId }) => `POST /bots/${botId}/heartbeat`,
    body: () => ({ status: 'ok' }),
    asRunner: true,
    calls: 'record_heartbeat',
    repeated: false,
    change: () => ({ beats: 1 }),
    answers: [200, 200],
  },
  {
    name: 'issue a token',
    line: ({ botId }) => `POST /bots/${botId}/tokens`,
    body: () => ({ name: 'A runner' }),
    calls: 'issue_token',
    repeated: false,
    change: ({ tokens }) => ({ tokens: tokens + 1 }),
    answers: [201, 201],
  },
  {
    name: 'revoke a token',
    line: ({ tokenId }) => `DELETE /tokens/${tokenId}`,
    calls: 'revoke_token',
    repeated: false,
    change: ({ tokens }) => ({ tokens: tokens - 1 }),
    answers: [200, 404],
    changeAgain: nothing,
  },
  {
    name: 'set a policy',
    line: ({ botId }) => `PUT /bots/${botId}/policy`,
    body: () => ({ max_value: '1' }),
    calls: 'set_policy',
    repeated: false,
    change: () => ({ policies: 1 }),
    answers: [200, 200],
  },
];
