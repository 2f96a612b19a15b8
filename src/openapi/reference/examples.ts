/** The values of all examples: one client with its bot, wallet, key and machine token. */
export const CLIENT_ID = '01a20567-9c9d-712c-b393-fbd8562d7591';
export const BOT_ID = '01a20567-a8e1-7f03-9d52-6b1c0e44a7d2';
export const WALLET_ID = '01a20567-a8e4-7b6a-8c1f-2f7d93b05e18';
export const KEY_ID = '01a20567-a8d9-7c55-b0a4-91c3f2d8e607';
export const NEW_KEY_ID = '01a2a1c4-5f30-7d21-a6b8-04e9d7c1f352';
export const TOKEN_ID = '01a2056c-1b47-7e90-8f36-c52a7d10b9e4';
export const ACCOUNT_ID = '5f0c8a1e-3b7d-4c62-9e14-d8a6b2f07c93';
export const REQUEST_ID = '9b2d6f3e-7c41-4f58-8a90-1e5d3c7b6a24';

/** The addresses of the private keys 1 and 2. */
export const ADDRESS = '0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf';
export const NEW_ADDRESS = '0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF';
/** The private keys 1 and 2, which everybody knows, so that nobody mistakes them for secrets. */
export const PRIVATE_KEY = `0x${'1'.padStart(64, '0')}`;
export const NEW_PRIVATE_KEY = `0x${'2'.padStart(64, '0')}`;

export const CREATED_AT = '2026-11-22T22:36:46.106Z';
export const STARTED_AT = '2026-11-22T22:40:03.512Z';
export const CHANGED_AT = '2026-11-24T08:15:30.250Z';

const HASH = '3f1d2c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f00f';

export const client = {
  id: CLIENT_ID,
  name: 'Alice',
  email: 'alice@example.test',
  linked: true,
  created_at: CREATED_AT,
};

export const wallet = {
  id: WALLET_ID,
  address: ADDRESS,
  chain: 'evm',
  key_source: 'trading',
  key_id: KEY_ID,
  created_at: CREATED_AT,
};

export const config = { pair: 'ETH/USDC', levels: 12 };

export const createdBot = {
  id: BOT_ID,
  client_id: CLIENT_ID,
  bot_type: 'evm-grid',
  name: 'Grid one',
  status: 'stopped',
  stop_reason: 'created',
  started_at: null,
  stopped_at: null,
  created_at: CREATED_AT,
  wallets: [wallet],
};
export const runningBot = { ...createdBot, status: 'running', stop_reason: null, started_at: STARTED_AT };
export const stoppedBot = {
  ...runningBot,
  status: 'stopped',
  stop_reason: 'requested',
  stopped_at: CHANGED_AT,
};

export const tradingKey = {
  client_id: CLIENT_ID,
  address: ADDRESS,
  chain: 'evm',
  key_id: KEY_ID,
  version: 1,
  master_key_id: 'vYHqT1v0x0yV3mJd1E6rW1b7m5m0c9Yk2n8u4Q6sZ3I',
  created_at: CREATED_AT,
  rotated_at: CREATED_AT,
  age_seconds: 121124,
};

export const policy = {
  bot_id: BOT_ID,
  kinds: ['evm.transaction'],
  chain_ids: ['1'],
  recipients: [NEW_ADDRESS],
  max_value: '1000000000000000000',
  max_value_24h: '5000000000000000000',
  quarantine_after: 10,
  updated_at: CHANGED_AT,
};

export const token = {
  id: TOKEN_ID,
  name: 'Runner in Frankfurt',
  bot_ids: [BOT_ID],
  created_at: CREATED_AT,
  expires_at: '2027-11-22T00:00:00Z',
  last_used_at: CHANGED_AT,
};

export const runnerBot = {
  id: BOT_ID,
  client_id: CLIENT_ID,
  bot_type: 'evm-grid',
  name: 'Grid one',
  status: 'running',
  started_at: STARTED_AT,
  wallets: [wallet],
};

export const keyEvent = {
  seq: 1,
  id: '01a20567-a8f0-7a3b-9c84-5d6e7f8091a2',
  client_id: CLIENT_ID,
  event: 'key_added',
  actor: 'client',
  actor_id: ACCOUNT_ID,
  request_id: REQUEST_ID,
  bot_id: BOT_ID,
  address: ADDRESS,
  chain: 'evm',
  key_id: KEY_ID,
  key_version: 1,
  detail: null,
  created_at: CREATED_AT,
  signatures: 0,
  previous_hash: null,
  hash: HASH,
};

export const checkpoint = {
  seq: 1,
  hash: HASH,
  jws: 'eyJhbGciOiJFZERTQSJ9.eyJzZXEiOjF9.c2lnbmF0dXJl',
  created_at: CREATED_AT,
};

/** A page that has no page after it. */
export const page = <Item>(item: Item) => ({ items: [item], next_cursor: null });
