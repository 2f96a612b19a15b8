/** Every function of the API, with the statements that it cannot do without. */
import { randomUUID } from 'node:crypto';
import { asJson, type Functions } from '../../src/database/call.ts';
import { hashOfMachineToken } from '../../src/machine-token.ts';
import { sealedArguments, sealedWallet } from '../support/sealed-wallet.ts';
import type { Household } from './database-rows.ts';
import type { Contestant } from './measure.ts';
import type { Sessions } from './sessions.ts';

type Statement = readonly [text: string, values: readonly unknown[]];

export interface Pair {
  readonly name: string;
  readonly call: Contestant;
  readonly bare: Contestant;
}

const WALLETS =
  'select id, address, chain, key_id, created_at from public.bot_wallets where client_id = $1 and bot_id';
const EVENT = `insert into private.queued_key_events (client_id, event, bot_id, address, chain, key_id, actor)
  values ($1, $2, $3, $4, 'evm', $5, 'client')`;
export const CLAIM = {
  kind: 'evm.message',
  chain_id: null,
  recipients: [],
  value: '0',
  digest: 'ab'.repeat(32),
};

export function pairs(sessions: Sessions, edgeToken: string, home: Household): Pair[] {
  const { clientId, userId, machineToken } = home;
  const tokenHash = hashOfMachineToken(machineToken);
  const [bot = ''] = home.bots;
  const pair = <Name extends keyof Functions & string>(
    name: Name,
    user: string | undefined,
    args: () => Functions[Name]['Args'],
    bare: () => readonly Statement[],
    before?: () => Promise<unknown>,
  ): Pair => ({
    name,
    call: { run: () => sessions.call(user, name, args()), ...(before && { before }) },
    bare: { run: () => sessions.statements(bare()), ...(before && { before }) },
  });
  const token: Statement = [
    `select * from public.machine_tokens where token_hash = decode($1, 'hex')`,
    [tokenHash],
  ];
  const tokenBot: Statement = [
    `select bots.* from public.bots join public.machine_token_bots as signs on signs.bot_id = bots.id
     join public.machine_tokens as tokens on tokens.id = signs.token_id
     where bots.id = $1 and tokens.token_hash = decode($2, 'hex')`,
    [bot, tokenHash],
  ];
  const key: Statement = ['select * from public.trading_keys where client_id = $1', [clientId]];
  const newBot = (id: string): Statement => [
    `insert into public.bots (id, client_id, bot_type, name, config, status, stop_reason, started_at)
     values ($1, $2, 'evm-grid', 'A bot', '{}', 'running', null, now())`,
    [id, clientId],
  ];
  const copy = (id: string): Statement => [
    `insert into public.bot_wallets (bot_id, client_id, address, chain, key_id, encrypted_key)
     select $1, client_id, address, chain, key_id, encrypted_key from public.trading_keys where client_id = $2`,
    [id, clientId],
  ];
  const withoutKey = () => sessions.owner`delete from public.trading_keys where client_id = ${clientId}`;
  const withKey = async () => {
    await withoutKey();
    const wallet = sealedWallet(clientId);
    await sessions.owner`insert into public.trading_keys ${sessions.owner({ client_id: clientId, ...wallet })}`;
    await sessions.owner`update public.bots set status = 'running' where id = ${bot}`;
  };

  return [
    pair(
      'get_own_client',
      userId,
      () => ({}),
      () => [['select * from public.clients where user_id = $1', [userId]]],
    ),
    pair(
      'get_trading_key',
      userId,
      () => ({ client_id: clientId }),
      () => [key],
    ),
    pair(
      'get_bot',
      userId,
      () => ({ bot_id: bot }),
      () => [
        ['select * from public.bots where id = $1', [bot]],
        [`${WALLETS} = $2`, [clientId, bot]],
      ],
    ),
    pair(
      'list_bots',
      userId,
      () => ({ client_id: clientId, page_size: 50 }),
      () => [
        ['select * from public.bots where client_id = $1 order by id desc limit 51', [clientId]],
        [`${WALLETS} = any ($2)`, [clientId, home.bots.slice(-50)]],
      ],
    ),
    pair(
      'get_bot_health',
      userId,
      () => ({ bot_id: bot, page_size: 50 }),
      () => [
        ['select * from public.bots where id = $1', [bot]],
        ['select * from public.bot_heartbeats where bot_id = $1', [bot]],
        key,
        [`${WALLETS} = $2`, [clientId, bot]],
        ['select * from private.monitor_state cross join private.monitor_settings', []],
        ['select * from public.bot_health_logs where bot_id = $1 order by id desc limit 51', [bot]],
      ],
    ),
    pair(
      'get_policy',
      userId,
      () => ({ bot_id: bot }),
      () => [
        ['select id from public.bots where id = $1', [bot]],
        ['select * from public.bot_policies where bot_id = $1', [bot]],
      ],
    ),
    pair(
      'list_runner_bots',
      undefined,
      () => ({ token: machineToken }),
      () => [
        token,
        [
          `select bots.* from public.machine_token_bots as signs join public.bots on bots.id = signs.bot_id
         join public.machine_tokens as tokens on tokens.id = signs.token_id
         where tokens.token_hash = decode($1, 'hex') and bots.status = 'running'`,
          [tokenHash],
        ],
        [`${WALLETS} = any ($2)`, [clientId, home.bots.slice(0, 100)]],
      ],
    ),
    pair(
      'check_out_key',
      undefined,
      () => ({ edge_token: edgeToken, token: machineToken, bot_id: bot, signing: asJson(CLAIM) }),
      () => [
        token,
        tokenBot,
        ['select * from public.bot_wallets where client_id = $1 and bot_id = $2', [clientId, bot]],
        ['select * from public.bot_policies where bot_id = $1', [bot]],
        [EVENT, [clientId, 'key_released', bot, '0x0', randomUUID()]],
      ],
    ),
    pair(
      'record_heartbeat',
      undefined,
      () => ({ token: machineToken, bot_id: bot, status: 'ok' }),
      () => [
        token,
        tokenBot,
        [
          `insert into public.bot_heartbeats (bot_id, client_id, status) values ($1, $2, 'ok')
         on conflict (bot_id) do update set status = excluded.status, beat_at = now()`,
          [bot, clientId],
        ],
      ],
    ),
    pair(
      'setup_bot',
      userId,
      () => ({
        edge_token: edgeToken,
        client_id: clientId,
        bot_type: 'evm-grid',
        name: 'A bot',
        config: {},
        wallet: {},
      }),
      () => {
        const id = randomUUID();
        return [key, newBot(id), copy(id), [EVENT, [clientId, 'wallet_added', id, '0x0', randomUUID()]]];
      },
    ),
    pair(
      'rotate_key',
      userId,
      () => ({ edge_token: edgeToken, client_id: clientId, ...sealedWallet(clientId) }),
      () => rotation(clientId),
    ),
    pair(
      'revoke_key_at_edge',
      userId,
      () => ({ edge_token: edgeToken, client_id: clientId }),
      () => [
        key,
        ['delete from public.trading_keys where client_id = $1', [clientId]],
        [
          'update public.bot_wallets set key_id = null, encrypted_key = null where client_id = $1',
          [clientId],
        ],
        [
          `update public.bots set status = 'stopped', stop_reason = 'key_revoked'
           where client_id = $1 and status = 'running'`,
          [clientId],
        ],
        [EVENT, [clientId, 'key_revoked', null, '0x0', randomUUID()]],
      ],
      withKey,
    ),
  ];
}

/** A rotation by bare statements: key, wallets, number, event. */
export function rotation(clientId: string): Statement[] {
  const key = sealedArguments(clientId);
  const sets = 'set address = $2, chain = $3, key_id = $4, encrypted_key = $5 where client_id = $1';
  return [
    ['select from public.clients where id = $1 for update', [clientId]],
    [`update public.trading_keys ${sets}`, [clientId, ...key]],
    [`update public.bot_wallets ${sets}`, [clientId, ...key]],
    ['update public.clients set key_version = key_version + 1 where id = $1', [clientId]],
    [EVENT, [clientId, 'key_rotated', null, key[0], key[2]]],
  ];
}
