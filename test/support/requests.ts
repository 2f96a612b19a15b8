/** One valid request of each operation. `routes/operations` compares this table with the description of the API. */
import { newEvmKey, type TestKey } from './private-keys.ts';

/** What a request is about. An id that is left out is random, so that nothing has it. */
export interface Subject {
  readonly clientId?: string;
  readonly botId?: string;
  readonly tokenId?: string;
  /** The key that the bot signs with. */
  readonly key?: Pick<TestKey, 'address'>;
}

type Body = (subject: Subject) => Readonly<Record<string, unknown>>;

/** A key that was never sent, with everything that a caller can state about it. */
function newKey() {
  const { privateKey, address, chain } = newEvmKey();
  return { private_key: privateKey, address, chain };
}
const newEmail = () => `${crypto.randomUUID()}@example.test`;
const BOT = { name: 'A bot', bot_type: 'evm-grid', config: { pair: 'ETH/USDC', spacing: 1.5, legs: ['x'] } };

/** The body with every field that the operation has, or null if the operation takes no body. */
export const BODIES: Readonly<Record<string, Body | null>> = {
  'GET /health': null,
  'GET /ready': null,
  'GET /.well-known/jwks.json': null,
  'GET /keys/status': null,
  'GET /events': null,
  'GET /events/checkpoints': null,
  'POST /clients': () => ({ name: 'A client', email: newEmail(), link_account: false }),
  'GET /clients': null,
  'GET /clients/me': null,
  'GET /clients/{id}': null,
  'GET /clients/{id}/bot-options': null,
  'POST /clients/{id}/setup-bot': () => ({ ...BOT, ...newKey() }),
  'GET /clients/{id}/bots': null,
  'GET /clients/{id}/trading-key': null,
  'PUT /clients/{id}/rotate-key': newKey,
  'DELETE /clients/{id}/revoke-key': null,
  'GET /clients/{id}/key-events': null,
  'GET /clients/{id}/checkpoints': null,
  'POST /bots/create': ({ clientId = crypto.randomUUID() }) => ({
    client_id: clientId,
    ...BOT,
    wallets: [newKey()],
  }),
  'POST /bots/{id}/wallets': newKey,
  'GET /bots/{id}': null,
  'POST /bots/{id}/start': null,
  'POST /bots/{id}/stop': null,
  'GET /bots/{id}/health': null,
  'GET /bots/{id}/policy': null,
  'PUT /bots/{id}/policy': () => ({
    kinds: ['evm.transaction'],
    chain_ids: ['1'],
    recipients: [newEvmKey().address],
    max_value: '1',
    max_value_24h: '1',
    quarantine_after: 100,
  }),
  'POST /bots/{id}/tokens': () => ({
    name: 'A runner',
    expires_at: '2999-01-01T00:00:00Z',
    other_bot_ids: [],
  }),
  'GET /bots/{id}/tokens': null,
  'DELETE /tokens/{id}': null,
  'POST /bots/{id}/sign': ({ key }) => ({
    type: 'evm.message',
    message: 'hello',
    ...(key && { wallet: key.address }),
  }),
  'POST /bots/{id}/rpc': ({ key }) => ({
    jsonrpc: '2.0',
    id: 1,
    method: 'personal_sign',
    params: ['0x68656c6c6f', key?.address ?? newEvmKey().address],
  }),
  'GET /runner/bots': null,
  'GET /runner/bots/{id}': null,
  'POST /bots/{id}/heartbeat': () => ({ status: 'ok', message: 'running', metrics: { open_orders: 3 } }),
};

/** `POST /bots/{id}/stop` with an id in the path, as `call` accepts it. */
export function lineTo(line: string, { clientId, botId, tokenId }: Subject = {}): string {
  const id = line.includes(' /clients/') ? clientId : line.includes(' /tokens/') ? tokenId : botId;
  return line.replace('{id}', id ?? crypto.randomUUID());
}

/** The body of this operation; undefined if it takes none. */
export function bodyOf(line: string, subject: Subject = {}): Readonly<Record<string, unknown>> | undefined {
  const body = BODIES[line];
  if (body === undefined) throw new TypeError(`There is no valid request of ${line}.`);
  return body?.(subject);
}
