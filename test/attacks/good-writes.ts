/**
 * A write that is accepted, for every table and function that a session or a runner may write to or call. Tests then make one
 * value of it invalid. `extremes.node.test.ts` compares this list with the catalog.
 */
import { randomBytes } from 'node:crypto';
import type { ClientPerson, Person } from '../support/people.ts';
import type { PeopledStack } from '../support/peopled-stack.ts';
import { type SealedWallet, sealedWallet } from '../support/sealed-wallet.ts';

export type Row = Readonly<Record<string, unknown>>;

export interface Scene {
  readonly stack: PeopledStack;
  readonly admin: Person;
  /** A client with a trading key and a running bot that the machine token signs for. */
  readonly client: ClientPerson;
  /** A client without a key. */
  readonly keyless: ClientPerson;
  readonly bot: string;
  readonly tokenId: string;
  readonly machineToken: string;
  /** Bots that were created only as a place for a write. */
  readonly places: Set<string>;
}

export interface Write {
  readonly by: Person;
  /** Returns a row that is accepted, with these columns changed. */
  readonly row: (changed: Row) => Row | Promise<Row>;
  /** Deletes rows to make room for the next one. */
  readonly undo?: () => Promise<unknown>;
}

export interface Change {
  readonly by: Person;
  /** The column that identifies the row, and its value. Each change gets a row of its own where that is possible. */
  readonly column: string;
  readonly place: () => string | Promise<string>;
  readonly row: (changed: Row) => Row;
}

export interface GoodCall {
  /** If absent, the caller has no session: it is a runner, or anyone. */
  readonly by?: Person;
  readonly args: () => Row | Promise<Row>;
}

export async function prepareScene(stack: PeopledStack): Promise<Scene> {
  const [admin, client] = [await stack.newAdmin(), await stack.newClient('Anna')];
  const keyless = await stack.newClient('Keyless');
  const { bots, tokens } = await stack.rows.addKeyAndBots(client);
  const [[bot = ''], [token]] = [bots, tokens];
  if (!token) throw new TypeError('unreachable: one token was requested');
  const places = new Set([bot]);
  return { stack, admin, client, keyless, bot, tokenId: token.id, machineToken: token.token, places };
}

async function newPlace({ stack, client, places }: Pick<Scene, 'stack' | 'client' | 'places'>) {
  const [place = ''] = await stack.rows.newBots(client, 1);
  places.add(place);
  return place;
}

/** A token that signs for no bot. */
async function newToken({ stack, client }: Scene): Promise<string> {
  const [token] = await stack.sql<[{ id: string }]>`
    insert into public.machine_tokens (client_id, name, token_hash)
    values (${client.clientId}, 'A token', ${randomBytes(32)}) returning id`;
  return token.id;
}

/** A new bot for each heartbeat, so that the next heartbeat does not replace this one before it is read. */
async function newPlaceOfToken(scene: Scene): Promise<string> {
  const bot = await newPlace(scene);
  await scene.stack.sql`insert into public.machine_token_bots (token_id, bot_id, client_id)
    values (${scene.tokenId}, ${bot}, ${scene.client.clientId})`;
  return bot;
}

/** A sealed key whose envelope matches the changed columns, so that the envelope is not the reason of a rejection. */
function sealedRow({ clientId }: ClientPerson, changed: Row): Row {
  const { address, chain, key_id } = { ...sealedWallet(clientId), ...changed };
  const names = { chain: chain as SealedWallet['chain'], key_id: String(key_id).toLowerCase() };
  return { client_id: clientId, ...sealedWallet(clientId, String(address), names), ...changed };
}

const newHash = () => randomBytes(32).toString('hex');
const newEmail = () => `${crypto.randomUUID()}@example.test`;
const once = () => ({ key: newHash(), fingerprint: newHash() });

/** Rows that a session may insert, by table. */
export function goodInserts(scene: Scene): Readonly<Record<string, Write>> {
  const { admin, client, keyless, stack } = scene;
  const client_id = client.clientId;
  return {
    clients: { by: admin, row: (changed) => ({ name: 'A client', email: newEmail(), ...changed }) },
    bots: {
      by: client,
      row: (changed) => ({ client_id, bot_type: 'evm-grid', name: 'A bot', ...changed }),
    },
    trading_keys: {
      by: keyless,
      row: (changed) => sealedRow(keyless, changed),
      undo: () => stack.sql`delete from public.trading_keys where client_id = ${keyless.clientId}`,
    },
    bot_wallets: {
      by: client,
      row: async (changed) => ({ bot_id: await newPlace(scene), ...sealedRow(client, changed) }),
    },
    machine_tokens: {
      by: client,
      // 32 letters and digits decode to 32 bytes in each of the accepted encodings.
      row: (changed) => ({ client_id, name: 'A token', token_hash: newHash().slice(32), ...changed }),
    },
    machine_token_bots: {
      by: client,
      row: async (changed) => ({
        token_id: await newToken(scene),
        bot_id: await newPlace(scene),
        client_id,
        ...changed,
      }),
    },
    bot_policies: {
      by: client,
      row: async (changed) => ({ bot_id: await newPlace(scene), client_id, ...changed }),
    },
  };
}

/** Rows that a session may change, by table. */
export function goodUpdates(scene: Scene): Readonly<Record<string, Change>> {
  const { client, stack } = scene;
  const { clientId } = client;
  return {
    clients: { by: client, column: 'id', place: () => clientId, row: (changed) => changed },
    bots: { by: client, column: 'id', place: () => newPlace(scene), row: (changed) => changed },
    trading_keys: {
      by: client,
      column: 'client_id',
      place: () => clientId,
      row: (changed) => {
        const { client_id, ...key } = sealedRow(client, changed);
        return key;
      },
    },
    bot_policies: {
      by: client,
      column: 'bot_id',
      place: async () => {
        const bot = await newPlace(scene);
        await stack.sql`insert into public.bot_policies (bot_id, client_id) values (${bot}, ${clientId})`;
        return bot;
      },
      row: (changed) => changed,
    },
  };
}

const CLAIM = {
  kind: 'evm.message',
  chain_id: null,
  recipients: [],
  value: '0',
  opaque: false,
  digest: 'ab'.repeat(32),
};
const POLICY = {
  kinds: ['evm.message'],
  chain_ids: ['1'],
  recipients: ['x'],
  max_value: '1',
  max_value_24h: '2',
  quarantine_after: 100,
};

/** Calls that change something, by function. */
export function goodCalls(scene: Scene): Readonly<Record<string, GoodCall>> {
  const { admin, client, keyless, stack, bot, machineToken: token } = scene;
  const client_id = client.clientId;
  const edge_token = stack.edgeToken;
  const newBot = { edge_token, client_id, bot_type: 'evm-grid', name: 'A bot', config: { pair: 'x' } };
  /** Gives the client of the call a trading key, whatever an earlier call did. */
  const heldAgain = async () => {
    await stack.sql`delete from public.trading_keys where client_id = ${keyless.clientId}`;
    await stack.rows.newKey(keyless);
    return { client_id: keyless.clientId };
  };
  return {
    create_client: { by: admin, args: () => ({ name: 'A client', email: newEmail(), once: once() }) },
    create_bot: { by: admin, args: () => ({ ...newBot, wallets: [], once: once() }) },
    setup_bot: { by: client, args: () => ({ ...newBot, wallet: {}, once: once() }) },
    add_wallet: {
      by: admin,
      args: async () => ({
        edge_token,
        bot_id: await newPlace(scene),
        wallet: sealedWallet(client_id),
        once: once(),
      }),
    },
    rotate_key: {
      by: client,
      args: () => ({ edge_token, client_id, ...sealedWallet(client_id), once: once() }),
    },
    revoke_key: { by: keyless, args: heldAgain },
    revoke_key_at_edge: { by: keyless, args: async () => ({ edge_token, ...(await heldAgain()) }) },
    start_bot: { by: client, args: () => ({ bot_id: bot, once: once() }) },
    stop_bot: { by: client, args: async () => ({ bot_id: await newPlace(scene) }) },
    issue_token: {
      by: client,
      args: async () => ({
        bot_id: await newPlace(scene),
        other_bot_ids: '{}',
        name: 'A token',
        token_hash: newHash(),
        expires_at: '2999-01-01',
        once: once(),
      }),
    },
    revoke_token: {
      by: client,
      args: async () => ({ token_id: await newToken(scene) }),
    },
    set_policy: { by: client, args: async () => ({ bot_id: await newPlace(scene), policy: POLICY }) },
    list_key_events: { by: client, args: () => ({ client_id, page_size: 1 }) },
    list_deployment_events: { by: admin, args: () => ({ page_size: 1 }) },
    report_refusal: {
      by: client,
      args: () => ({
        edge_token,
        code: 'permission_denied',
        route: 'GET /bots/{id}',
        client_id,
        bot_id: bot,
      }),
    },
    check_out_key: { args: () => ({ edge_token, token, bot_id: bot, signing: CLAIM, once: once() }) },
    list_runner_bots: { args: () => ({ token }) },
    get_runner_bot: { args: () => ({ token, bot_id: bot }) },
    record_heartbeat: {
      args: async () => ({
        token,
        bot_id: await newPlaceOfToken(scene),
        status: 'degraded',
        message: 'late',
        metrics: { open_orders: 3, healthy: true, pair: 'x' },
        once: once(),
      }),
    },
    report_signing_failure: {
      args: async () => ({
        edge_token,
        token,
        bot_id: await newPlaceOfToken(scene),
        code: 'policy_kind_denied',
      }),
    },
    report_runner_refusal: {
      args: () => ({
        edge_token,
        token,
        bot_id: bot,
        code: 'permission_denied',
        route: 'POST /bots/{id}/sign',
      }),
    },
  };
}

/** Called with the operator's tokens alone. */
export const CRON_CALLS = [
  'chain_queued_events',
  'count_keys_to_rewrap',
  'edge_token_valid',
  'list_envelopes_to_rewrap',
  'list_unsigned_heads',
  'monitor_bots',
  'rewrap_keys',
  'store_checkpoints',
];
