/** The operations that the service is compared with the baseline in, as requests to each of them. */
import { randomBytes } from 'node:crypto';
import type { OwnStack } from '../support/own-stack.ts';
import { Rows } from '../support/rows.ts';
import type { Baseline, BaselineApp, RotateMode } from './baseline.ts';
import type { Request } from './connection.ts';
import { newHouseholds } from './database-rows.ts';
import { newEvmKey, transfer } from './samples.ts';
import { newHomes, requestBy, sessionOf } from './service.ts';
import type { Sessions } from './sessions.ts';

/** The request of each number from 0. */
type Requests = (n: number) => Request;

export interface Place {
  readonly sessions: Sessions;
  readonly stack: OwnStack;
  readonly encryptionKey: string;
}

export interface Operation {
  readonly name: string;
  /** How many requests one round sends over one connection. */
  readonly requests: number;
  readonly status?: number;
  /** Each request needs a client of its own. So clients are made for each round. */
  readonly once?: true;
  readonly service: (place: Place, count: number) => Promise<Requests>;
  readonly baseline?: (baseline: Baseline, app: BaselineApp, count: number) => Promise<Requests>;
  readonly rotateMode?: RotateMode;
}

/** The clients that take turns in operations that can be repeated. */
const HOMES = 32;

const inTurns =
  <Item>(items: readonly Item[], requestOf: (item: Item, n: number) => Request): Requests =>
  (n) =>
    requestOf(items[n % items.length] as Item, n);

const newBaselineKey = () => ({
  private_key: newEvmKey(),
  address: `0x${randomBytes(20).toString('hex')}`,
});

const reading =
  (path: (ids: { clientId: string; botId: string }) => string): Operation['service'] =>
  async ({ sessions, stack, encryptionKey }) =>
    inTurns(await newHomes(sessions, stack, encryptionKey, HOMES), (home) =>
      requestBy(home.session, 'GET', path(home)),
    );

const rotation = (wallets: number, requests: number, rotateMode: RotateMode = 'rows'): Operation => {
  const homes = wallets === 1000 ? 4 : HOMES;
  return {
    name: `rotate ${wallets.toLocaleString('en')}${rotateMode === 'single' ? ', against one UPDATE' : ''}`,
    requests,
    rotateMode,
    async service({ sessions, stack }) {
      const households = await newHouseholds(sessions.owner, homes, { bots: wallets });
      const clients = await Promise.all(
        households.map(async ({ clientId, userId }) => ({
          clientId,
          session: await sessionOf(userId, stack.jwtSecret),
        })),
      );
      return inTurns(clients, ({ clientId, session }) =>
        requestBy(session, 'PUT', `/clients/${clientId}/rotate-key`, { private_key: newEvmKey() }),
      );
    },
    baseline: async (baseline, app) =>
      inTurns(await baseline.newKeyedClients(app, homes, wallets), ({ clientId }) =>
        baseline.request('PUT', `/clients/${clientId}/rotate-key`, newBaselineKey()),
      ),
  };
};

export const OPERATIONS: readonly Operation[] = [
  {
    name: 'sign secp256k1',
    requests: 200,
    service: async ({ sessions, stack, encryptionKey }) =>
      inTurns(await newHomes(sessions, stack, encryptionKey, HOMES), ({ machineToken, botId }, n) =>
        requestBy(machineToken, 'POST', `/bots/${botId}/sign`, {
          type: 'evm.message',
          message: `message ${n}`,
        }),
      ),
    baseline: async (baseline, app) =>
      inTurns(await baseline.newKeyedClients(app, HOMES, 1), ({ botId }) =>
        baseline.request('POST', `/bots/${botId}/sign`, { digest: `0x${randomBytes(32).toString('hex')}` }),
      ),
  },
  {
    name: 'sign ed25519',
    requests: 200,
    service: async ({ sessions, stack, encryptionKey }) =>
      inTurns(
        await newHomes(sessions, stack, encryptionKey, HOMES, 'solana'),
        ({ machineToken, botId, address }) =>
          requestBy(machineToken, 'POST', `/bots/${botId}/sign`, {
            type: 'solana.transaction',
            message: transfer(address),
          }),
      ),
  },
  {
    name: 'setup-bot',
    requests: 150,
    status: 201,
    once: true,
    async service({ sessions, stack }, count) {
      const clients = await new Rows(sessions.owner).newClients(count);
      const tokens = await Promise.all(clients.map(({ userId }) => sessionOf(userId, stack.jwtSecret)));
      return (n) =>
        requestBy(tokens[n] ?? '', 'POST', `/clients/${clients[n]?.clientId}/setup-bot`, {
          bot_type: 'evm-grid',
          private_key: newEvmKey(),
        });
    },
    async baseline(baseline, _app, count) {
      const ids = await baseline.newClients(count);
      return (n) =>
        baseline.request('POST', `/clients/${ids[n]}/setup-bot`, { ...newBaselineKey(), bot_type: 'volume' });
    },
  },
  rotation(1, 150),
  rotation(100, 100),
  rotation(1000, 24),
  rotation(1000, 24, 'single'),
  {
    name: 'revoke',
    requests: 150,
    once: true,
    async service({ sessions, stack }, count) {
      // Without tokens, which the baseline does not have.
      const clients = await newHouseholds(sessions.owner, count, { bots: 1, tokens: 0 });
      const tokens = await Promise.all(clients.map(({ userId }) => sessionOf(userId, stack.jwtSecret)));
      return (n) => requestBy(tokens[n] ?? '', 'DELETE', `/clients/${clients[n]?.clientId}/revoke-key`);
    },
    async baseline(baseline, app, count) {
      const clients = await baseline.newKeyedClients(app, count, 1);
      return (n) => baseline.request('DELETE', `/clients/${clients[n]?.clientId}/revoke-key`);
    },
  },
  {
    name: 'bot-options',
    requests: 300,
    service: reading(({ clientId }) => `/clients/${clientId}/bot-options`),
    baseline: async (baseline, app) =>
      inTurns(await baseline.newKeyedClients(app, HOMES, 1), ({ clientId }) =>
        baseline.request('GET', `/clients/${clientId}/bot-options`),
      ),
  },
  {
    // The baseline has no health of a bot. Its GET /health executes SELECT 1.
    name: 'health of a bot',
    requests: 300,
    service: reading(({ botId }) => `/bots/${botId}/health`),
    baseline: async (baseline) => () => baseline.request('GET', '/health'),
  },
];
