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
  return {
    health: (options) => call('GET /health', { repeatable }, options),
    ready: (options) => call('GET /ready', { expected: [503] }, options),
    clients: {
      create: (body, options) => call('POST /clients', { body }, options),
      list: (query, options) => call('GET /clients', { query, repeatable }, options),
      me: (options) => call('GET /clients/me', { repeatable }, options),
      get: (id, options) => call('GET /clients/{id}', { id, repeatable }, options),
      botOptions: (id, options) => call('GET /clients/{id}/bot-options', { id, repeatable }, options),
      setupBot: (id, body, options) => call('POST /clients/{id}/setup-bot', { id, body }, options),
      bots: (id, query, options) => call('GET /clients/{id}/bots', { id, query, repeatable }, options),
      tradingKey: (id, options) => call('GET /clients/{id}/trading-key', { id, repeatable }, options),
      // Each rotation is a version of its own: not repeated.
      rotateKey: (id, body, options) => call('PUT /clients/{id}/rotate-key', { id, body }, options),
      revokeKey: (id, options) => call('DELETE /clients/{id}/revoke-key', { id, repeatable }, options),
    },
    bots: {
      create: (body, options) => call('POST /bots/create', { body }, options),
      get: (id, options) => call('GET /bots/{id}', { id, repeatable }, options),
      start: (id, options) => call('POST /bots/{id}/start', { id }, options),
      stop: (id, options) => call('POST /bots/{id}/stop', { id }, options),
      addWallet: (id, body, options) => call('POST /bots/{id}/wallets', { id, body }, options),
      issueToken: (id, body, options) => call('POST /bots/{id}/tokens', { id, body }, options),
      tokens: (id, options) => call('GET /bots/{id}/tokens', { id, repeatable }, options),
      policy: (id, options) => call('GET /bots/{id}/policy', { id, repeatable }, options),
      setPolicy: (id, body, options) => call('PUT /bots/{id}/policy', { id, body, repeatable }, options),
      // The signature would be the same, but each asking reserves its value under the daily limit: not repeated.
      sign: (id, body, options) => call('POST /bots/{id}/sign', { id, body }, options),
      heartbeat: (id, body, options) => call('POST /bots/{id}/heartbeat', { id, body }, options),
    },
    keys: {
      status: (options) => call('GET /keys/status', { repeatable }, options),
    },
    tokens: {
      revoke: (id, options) => call('DELETE /tokens/{id}', { id, repeatable }, options),
    },
    runner: {
      bots: (options) => call('GET /runner/bots', { repeatable }, options),
    },
  };
}
