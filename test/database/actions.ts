/** The actions of callers in a race: each as the SQL of a session and as the request that PostgREST turns into that SQL. */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { inject } from 'vitest';
import type {} from '../support/global-setup.ts';
import type { Client } from '../support/rows.ts';
import { type SealedWallet, sealedWallet } from '../support/sealed-wallet.ts';

/** Runs its own SQL, without a session. */
export const OPERATOR = 'operator';

export interface Action {
  /** The account that acts, or `OPERATOR`. */
  readonly by: string;
  readonly text: string;
  readonly values: readonly unknown[];
  readonly http: { readonly method: string; readonly path: string; readonly body?: unknown };
}

export interface Once {
  readonly key: string;
  readonly fingerprint: string;
}

function rpc(by: string, name: string, args: Record<string, unknown>): Action {
  const list = Object.keys(args).map((argument, index) => `${argument} => $${index + 1}`);
  return {
    by,
    text: `select public.${name}(${list.join(', ')})`,
    values: Object.values(args),
    http: { method: 'POST', path: `rpc/${name}`, body: args },
  };
}

/** A function that takes the edge token: only the edge sends and receives envelopes. */
const edgeRpc = (by: string, name: string, args: Record<string, unknown>) =>
  rpc(by, name, { edge_token: inject('edgeToken'), ...args });

function insert(by: string, table: string, row: Record<string, unknown>): Action {
  const columns = Object.keys(row);
  const places = columns.map((_, index) => `$${index + 1}`);
  return {
    by,
    text: `insert into public.${table} (${columns.join(', ')}) values (${places.join(', ')})`,
    values: Object.values(row),
    http: { method: 'POST', path: table, body: row },
  };
}

function update(
  by: string,
  table: string,
  column: string,
  value: string,
  row: Record<string, unknown>,
): Action {
  const sets = Object.keys(row).map((name, index) => `${name} = $${index + 2}`);
  return {
    by,
    text: `update public.${table} set ${sets.join(', ')} where ${column} = $1`,
    values: [value, ...Object.values(row)],
    http: { method: 'PATCH', path: `${table}?${column}=eq.${value}`, body: row },
  };
}

/** The same call with an Idempotency-Key. */
export function once({ by, http }: Action, key: Once): Action {
  return rpc(by, http.path.replace('rpc/', ''), { ...(http.body as object), once: key });
}

/** The hash that the edge derives from an Idempotency-Key and a request: one for each name and body. */
export function newOnce(name: string = randomUUID(), body = ''): Once {
  const hash = (text: string) => createHash('sha256').update(text).digest('hex');
  return { key: hash(name), fingerprint: hash(`${name} ${body}`) };
}

// The use cases ----------------------------------------------------------------------------------------------

export const createClient = (by: string, email: string) =>
  rpc(by, 'create_client', { name: 'A client', email });

export const rotateKey = (client: Client, by = client.userId, wallet = sealedWallet(client.clientId)) =>
  edgeRpc(by, 'rotate_key', { client_id: client.clientId, ...wallet });

export const revokeKey = (client: Client, by = client.userId) =>
  rpc(by, 'revoke_key', { client_id: client.clientId });

export const setupBot = (client: Client, wallet: SealedWallet | Record<string, never> = {}) =>
  edgeRpc(client.userId, 'setup_bot', {
    client_id: client.clientId,
    bot_type: 'evm-grid',
    name: 'set up',
    config: {},
    wallet,
  });

export const createBot = (client: Client, by: string, wallets: readonly SealedWallet[] = []) =>
  edgeRpc(by, 'create_bot', {
    client_id: client.clientId,
    bot_type: 'evm-grid',
    name: 'created',
    config: {},
    wallets,
  });

export const addWallet = (botId: string, by: string, wallet: SealedWallet | Record<string, never> = {}) =>
  edgeRpc(by, 'add_wallet', { bot_id: botId, wallet });

export const startBot = (botId: string, by: string) => rpc(by, 'start_bot', { bot_id: botId });
export const stopBot = (botId: string, by: string) => rpc(by, 'stop_bot', { bot_id: botId });
export const setPolicy = (botId: string, by: string, policy: object) =>
  rpc(by, 'set_policy', { bot_id: botId, policy });
export const issueToken = (botId: string, by: string) =>
  rpc(by, 'issue_token', {
    bot_id: botId,
    other_bot_ids: [],
    name: 'a token',
    token_hash: randomBytes(32).toString('hex'),
  });
export const revokeToken = (tokenId: string, by: string) => rpc(by, 'revoke_token', { token_id: tokenId });

// Directly at the tables, by the operator or by a session. Envelopes of a session are rejected: 403 envelope_write_denied ---------------

export const insertKey = (
  client: Client,
  by: string = client.userId,
  wallet = sealedWallet(client.clientId),
) => insert(by, 'trading_keys', { client_id: client.clientId, ...wallet });

export const updateKey = (client: Client, by = client.userId) =>
  update(by, 'trading_keys', 'client_id', client.clientId, { ...sealedWallet(client.clientId) });

export const deleteKey = (client: Client, by = client.userId): Action => ({
  by,
  text: 'delete from public.trading_keys where client_id = $1',
  values: [client.clientId],
  http: { method: 'DELETE', path: `trading_keys?client_id=eq.${client.clientId}` },
});

export const insertWallet = (
  client: Client,
  botId: string,
  wallet: Partial<SealedWallet>,
  by = client.userId,
) => insert(by, 'bot_wallets', { client_id: client.clientId, bot_id: botId, chain: 'evm', ...wallet });

export const insertBot = (client: Client) =>
  insert(client.userId, 'bots', { client_id: client.clientId, bot_type: 'evm-grid', name: 'straight' });

export const setStatus = (botId: string, status: 'running' | 'stopped', by: string) =>
  update(by, 'bots', 'id', botId, { status });
