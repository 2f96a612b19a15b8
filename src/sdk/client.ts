/**
 * `trading-keys/client`: the API as typed calls.
 *
 *     const api = createClient({ url: 'https://keys.example.com', token: process.env.TRADING_KEYS_TOKEN });
 *     const { items } = await api.runner.bots();
 */
import type { TradingKeysClient } from './api.ts';
import { type ClientOptions, createTransport } from './transport.ts';

export type { TradingKeysClient } from './api.ts';
export {
  ApiProblem,
  findProblem,
  NoAnswer,
  type ProblemCode,
  type ProblemPart,
  SigningError,
} from './errors.ts';
export type { CallOptions, ClientOptions } from './transport.ts';
export type * from './types.ts';

/** A client of the API at `url`, for whoever the token names. Keeps nothing but its settings. */
export function createClient(settings: ClientOptions): TradingKeysClient {
  const call = createTransport(settings);
  const repeatable = true;
  const once = 'always';
  return {
    health: (options) => call('GET /health', { repeatable }, options),
    ready: (options) => call('GET /ready', { expected: [503] }, options),
    clients: {
      create: (body, options) => call('POST /clients', { body, once }, options),
      list: (query, options) => call('GET /clients', { query, repeatable }, options),
      me: (options) => call('GET /clients/me', { repeatable }, options),
      get: (id, options) => call('GET /clients/{id}', { id, repeatable }, options),
      botOptions: (id, options) => call('GET /clients/{id}/bot-options', { id, repeatable }, options),
      setupBot: (id, body, options) => call('POST /clients/{id}/setup-bot', { id, body, once }, options),
      bots: (id, query, options) => call('GET /clients/{id}/bots', { id, query, repeatable }, options),
      tradingKey: (id, options) => call('GET /clients/{id}/trading-key', { id, repeatable }, options),
      rotateKey: (id, body, options) => call('PUT /clients/{id}/rotate-key', { id, body, once }, options),
      revokeKey: (id, options) => call('DELETE /clients/{id}/revoke-key', { id, repeatable }, options),
      keyEvents: (id, query, options) =>
        call('GET /clients/{id}/key-events', { id, query, repeatable }, options),
      checkpoints: (id, query, options) =>
        call('GET /clients/{id}/checkpoints', { id, query, repeatable }, options),
    },
    bots: {
      create: (body, options) => call('POST /bots/create', { body, once }, options),
      get: (id, options) => call('GET /bots/{id}', { id, repeatable }, options),
      start: (id, options) => call('POST /bots/{id}/start', { id, once }, options),
      stop: (id, options) => call('POST /bots/{id}/stop', { id, repeatable, once: 'if asked' }, options),
      addWallet: (id, body, options) => call('POST /bots/{id}/wallets', { id, body, once }, options),
      health: (id, query, options) => call('GET /bots/{id}/health', { id, query, repeatable }, options),
      issueToken: (id, body, options) => call('POST /bots/{id}/tokens', { id, body, once }, options),
      tokens: (id, query, options) => call('GET /bots/{id}/tokens', { id, query, repeatable }, options),
      policy: (id, options) => call('GET /bots/{id}/policy', { id, repeatable }, options),
      setPolicy: (id, body, options) => call('PUT /bots/{id}/policy', { id, body, repeatable }, options),
      sign: (id, body, options) => call('POST /bots/{id}/sign', { id, body, once }, options),
      // The last one counts, so that it is repeatable as it is; a key for each would be kept for a day.
      heartbeat: (id, body, options) =>
        call('POST /bots/{id}/heartbeat', { id, body, repeatable, once: 'if asked' }, options),
    },
    keys: {
      status: (options) => call('GET /keys/status', { repeatable }, options),
    },
    tokens: {
      revoke: (id, options) => call('DELETE /tokens/{id}', { id, repeatable }, options),
    },
    events: {
      list: (query, options) => call('GET /events', { query, repeatable }, options),
      checkpoints: (query, options) => call('GET /events/checkpoints', { query, repeatable }, options),
    },
    audit: {
      keys: (options) => call('GET /.well-known/jwks.json', { repeatable }, options),
    },
    runner: {
      bots: (query, options) => call('GET /runner/bots', { query, repeatable }, options),
      bot: (id, options) => call('GET /runner/bots/{id}', { id, repeatable }, options),
    },
  };
}
