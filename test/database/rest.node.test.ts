/** What a client's own access token can do directly at the REST API, without the Worker. */
import { beforeAll, describe, expect, inject, it } from 'vitest';
import {
  accessToken,
  type ClientPerson,
  newAccount,
  newAdmin,
  newClient,
  operatorSql,
} from '../support/people.ts';
import { sealedWallet } from '../support/sealed-wallet.ts';

interface Answer {
  readonly status: number;
  readonly code: string | undefined;
  readonly rows: Record<string, unknown>[];
  readonly text: string;
}

async function rest(
  line: string,
  token: string | undefined,
  body?: unknown,
  prefer?: string,
): Promise<Answer> {
  const [method = '', path = ''] = line.split(' ');
  const response = await fetch(`${inject('supabaseUrl')}/rest/v1/${path}`, {
    method,
    headers: {
      apikey: inject('publishableKey'),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(prefer !== undefined && { prefer }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const json: unknown = text === '' ? null : JSON.parse(text);
  const code = typeof json === 'object' && json !== null && 'code' in json ? String(json.code) : undefined;
  return { status: response.status, code, rows: Array.isArray(json) ? json : [], text };
}

let anna: ClientPerson;
let boris: ClientPerson;
let annasBot: string;
let borissBot: string;
let annasEnvelope: string;
let borissAddress: string;

async function settle(client: ClientPerson) {
  const wallet = sealedWallet(client.clientId);
  const bot = { client_id: client.clientId, bot_type: 'evm-grid', name: 'a bot', config: {}, wallet };
  const answer = await rest('POST rpc/setup_bot', client.token, { edge_token: inject('edgeToken'), ...bot });
  expect(answer.status).toBe(200);
  return { bot: (JSON.parse(answer.text) as { id: string }).id, ...wallet };
}

beforeAll(async () => {
  [anna, boris] = [await newClient('Anna'), await newClient('Boris')];
  ({ bot: annasBot, encrypted_key: annasEnvelope } = await settle(anna));
  ({ bot: borissBot, address: borissAddress } = await settle(boris));
});

const READABLE = {
  clients: 'id,name,email,user_id,key_version,created_at',
  bots: 'id,client_id,bot_type,name,config,status,stop_reason',
  trading_keys: 'id,client_id,address,chain,key_id,version,master_key_id,created_at,rotated_at',
  bot_wallets: 'id,bot_id,client_id,address,chain,key_id,created_at',
  bot_health_logs: 'id,bot_id,client_id,state,detail,created_at',
  key_events: 'id,client_id,event,address,key_version,actor',
  machine_tokens: 'id,client_id,name,created_by,created_at,expires_at,last_used_at',
} as const;
const TABLES = Object.entries(READABLE).map(([table, columns]) => ({ table, columns }));

describe.each(TABLES)('$table', ({ table, columns }) => {
  const owner = table === 'clients' ? 'id' : 'client_id';
  const empty = ['bot_health_logs', 'machine_tokens'].includes(table);

  it('a client reads its own rows', async () => {
    const { status, rows } = await rest(`GET ${table}?select=${columns}`, anna.token);
    expect(status).toBe(200);
    // The monitor of a concurrent test may write rows into the others.
    if (!empty) expect(rows.length).toBeGreaterThan(0);
    expect(rows.every((row) => row[owner] === anna.clientId)).toBe(true);
  });

  it("another client's rows are not visible", async () => {
    const { status, rows } = await rest(`GET ${table}?select=id&${owner}=eq.${boris.clientId}`, anna.token);
    expect([status, rows]).toEqual([200, []]);
  });

  it('an account without a client reads no rows', async () => {
    const { token } = await newAccount();
    expect((await rest(`GET ${table}?select=id`, token)).rows).toEqual([]);
  });

  it('every verb is rejected for a caller who is not signed in', async () => {
    for (const [line, body] of [
      [`GET ${table}?select=id`, undefined],
      [`POST ${table}`, { [owner]: anna.clientId }],
      [`PATCH ${table}?${owner}=eq.${anna.clientId}`, { [owner]: anna.clientId }],
      [`DELETE ${table}?${owner}=eq.${anna.clientId}`, undefined],
    ] as const) {
      expect(await rest(line, undefined, body)).toMatchObject({ status: 401, code: '42501' });
    }
  });
});

describe('an envelope', () => {
  it.each([
    'trading_keys',
    'trading_keys?select=*',
    'trading_keys?select=encrypted_key',
    'trading_keys?select=id,encrypted_key',
    'trading_keys?select=id&encrypted_key=like.eyJ*',
    'trading_keys?select=id&encrypted_key=not.is.null',
    'trading_keys?select=id&order=encrypted_key',
    'bot_wallets?select=*',
    'bot_wallets?select=encrypted_key',
    'bot_wallets?select=id&encrypted_key=not.is.null',
    'bots?select=id,bot_wallets(encrypted_key)',
    'bots?select=id,bot_wallets(*)',
    'clients?select=id,trading_keys(*)',
  ])('GET %s -> denied', async (path) => {
    const answer = await rest(`GET ${path}`, anna.token);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.code).toBe('42501');
    expect(answer.text).not.toContain(annasEnvelope.slice(-40));
  });

  it.each(['return=representation', 'return=representation,count=exact'])(
    'is not returned: %s',
    async (prefer) => {
      const before = await rest('GET trading_keys?select=key_id', anna.token);
      const path = `trading_keys?client_id=eq.${anna.clientId}`;
      const patched = await rest(`PATCH ${path}`, anna.token, sealedWallet(anna.clientId), prefer);
      const deleted = await rest(`DELETE ${path}`, anna.token, undefined, prefer);
      expect([patched.code, deleted.code]).toEqual(['42501', '42501']);
      expect(await rest('GET trading_keys?select=key_id', anna.token)).toEqual(before);
    },
  );

  it('is not returned to an admin either', async () => {
    const { token } = await newAdmin();
    expect((await rest('GET trading_keys?select=encrypted_key', token)).code).toBe('42501');
    expect((await rest('GET bot_wallets?select=*', token)).code).toBe('42501');
  });

  it('is still unreadable afterwards: the server did not grant itself the columns of the tables', async () => {
    const granted = await operatorSql(`
      select role, relation from unnest(array['anon', 'authenticated', 'service_role']) as role,
        unnest(array['public.trading_keys', 'public.bot_wallets']) as relation
      where has_column_privilege(role, relation, 'encrypted_key', 'select')
        or has_table_privilege(role, relation, 'truncate')`);
    expect(granted).toEqual([]);
  });
});

describe("another client's rows", () => {
  it('PATCH trading_keys changes no row', async () => {
    const wallet = sealedWallet(boris.clientId);
    await rest(`PATCH trading_keys?client_id=eq.${boris.clientId}`, anna.token, wallet);
    await rest(`PATCH trading_keys?address=eq.${borissAddress}`, anna.token, wallet);
    expect((await rest('GET trading_keys?select=address', boris.token)).rows).toEqual([
      { address: borissAddress },
    ]);
  });

  it('DELETE trading_keys changes no row', async () => {
    await rest(`DELETE trading_keys?client_id=eq.${boris.clientId}`, anna.token);
    expect((await rest('GET trading_keys?select=address', boris.token)).rows).toEqual([
      { address: borissAddress },
    ]);
  });

  it('PATCH bots changes no row', async () => {
    await rest(`PATCH bots?id=eq.${borissBot}`, anna.token, { status: 'stopped' });
    expect((await rest('GET bots?select=status', boris.token)).rows).toEqual([{ status: 'running' }]);
  });

  it.each([
    ['trading_keys', () => ({ client_id: boris.clientId, ...sealedWallet(boris.clientId) }), 'PT403'],
    [
      'bot_wallets',
      () => ({ client_id: boris.clientId, bot_id: borissBot, chain: 'evm', address: borissAddress }),
      'PT404',
    ],
    ['bots', () => ({ client_id: boris.clientId, bot_type: 'evm-grid', name: 'x', config: {} }), '42501'],
    ['clients', () => ({ name: 'x', email: `${crypto.randomUUID()}@example.test` }), '42501'],
    [
      'key_events',
      () => ({
        client_id: boris.clientId,
        event: 'key_revoked',
        address: 'x',
        chain: 'evm',
        actor: 'client',
      }),
      '42501',
    ],
    ['bot_types', () => ({ id: 'x', name: 'x', description: 'x', chain: 'evm' }), '42501'],
  ] as const)('POST %s -> rejected', async (table, row, code) => {
    expect((await rest(`POST ${table}`, anna.token, row())).code).toBe(code);
  });

  it.each(['get_trading_key', 'revoke_key', 'list_bot_options', 'get_client'])(
    'rpc/%s gets the response for a client that does not exist',
    async (name) => {
      const foreign = await rest(`POST rpc/${name}`, anna.token, { client_id: boris.clientId });
      const absent = await rest(`POST rpc/${name}`, anna.token, { client_id: crypto.randomUUID() });
      expect(foreign.status).toBe(404);
      expect(foreign).toEqual(absent);
    },
  );
});

describe("another client's keys, with the edge token", () => {
  const edge = () => ({ edge_token: inject('edgeToken') });
  const bot = { bot_type: 'evm-grid', name: 'a bot', config: {} };
  it.each([
    ['rotate_key', (clientId: string) => ({ client_id: clientId, ...sealedWallet(boris.clientId) })],
    [
      'setup_bot',
      (clientId: string) => ({ client_id: clientId, ...bot, wallet: sealedWallet(boris.clientId) }),
    ],
    ['create_bot', (clientId: string) => ({ client_id: clientId, ...bot, wallets: [] })],
  ])('rpc/%s gets the response for a client that does not exist', async (name, args) => {
    const foreign = await rest(`POST rpc/${name}`, anna.token, { ...edge(), ...args(boris.clientId) });
    const absent = await rest(`POST rpc/${name}`, anna.token, { ...edge(), ...args(crypto.randomUUID()) });
    expect(foreign.status).toBe(404);
    expect(foreign).toEqual(absent);
  });
});

describe('own rows', () => {
  it.each([
    ['PATCH clients', { email: 'x@example.test' }],
    ['PATCH clients', { user_id: null }],
    ['PATCH trading_keys', { version: 9 }],
    ['PATCH trading_keys', { client_id: crypto.randomUUID() }],
    ['PATCH bots', { stop_reason: 'requested' }],
    ['PATCH bot_wallets', { encrypted_key: null }],
    ['PATCH key_events', { actor: 'admin' }],
    ['DELETE key_events', undefined],
    ['DELETE bot_wallets', undefined],
    ['DELETE bots', undefined],
    ['DELETE clients', undefined],
  ])('%s %j -> rejected', async (line, body) => {
    const owner = line.endsWith('clients') ? 'id' : 'client_id';
    const answer = await rest(`${line}?${owner}=eq.${anna.clientId}`, anna.token, body);
    expect(answer.code).toBe('42501');
  });

  it('PATCH clients renames', async () => {
    await rest(`PATCH clients?id=eq.${anna.clientId}`, anna.token, { name: 'Anna B' });
    expect((await rest('GET clients?select=name', anna.token)).rows).toEqual([{ name: 'Anna B' }]);
  });

  const stateOf = ({ clientId }: ClientPerson) =>
    operatorSql(
      `select to_jsonb(wallets) as wallet, to_jsonb(keys) as key
       from public.bot_wallets as wallets left join public.trading_keys as keys using (client_id)
       where client_id = $1 order by wallets.id`,
      [clientId],
    );

  it.each([
    ['POST trading_keys', (clientId: string) => ({ client_id: clientId, ...sealedWallet(clientId) })],
    ['PATCH trading_keys?client_id=eq.', (clientId: string) => ({ ...sealedWallet(clientId) })],
    ['PATCH trading_keys?client_id=eq.', () => ({ address: '0x1' })],
    [
      'POST bot_wallets',
      (clientId: string) => ({ client_id: clientId, bot_id: annasBot, ...sealedWallet(clientId) }),
    ],
  ])('%s with an envelope -> 403 envelope_write_denied, and nothing changes', async (line, body) => {
    const before = await stateOf(anna);
    const path = line.endsWith('.') ? `${line}${anna.clientId}` : line;
    const { status, text } = await rest(path, anna.token, body(anna.clientId));
    expect([status, JSON.parse(text)]).toEqual([
      403,
      expect.objectContaining({ hint: 'envelope_write_denied' }),
    ]);
    expect(await stateOf(anna)).toEqual(before);
  });

  it('POST bot_wallets without an envelope takes a copy of the trading key', async () => {
    const [bot] = await operatorSql<{ id: string }>(
      `insert into public.bots (client_id, bot_type, name) values ($1, 'evm-grid', 'bare') returning id`,
      [anna.clientId],
    );
    const [key] = (await rest('GET trading_keys?select=address,chain,key_id', anna.token)).rows;
    const row = { client_id: anna.clientId, bot_id: bot?.id, address: key?.address, chain: key?.chain };
    expect((await rest('POST bot_wallets', anna.token, row)).status).toBe(201);
    const path = `GET bot_wallets?select=address,chain,key_id&bot_id=eq.${bot?.id}`;
    expect((await rest(path, anna.token)).rows).toEqual([key]);
  });

  it('rotate_key rotates and the wallets follow; DELETE trading_keys revokes and the bots stop', async () => {
    const carla = await newClient('Carla');
    const { bot } = await settle(carla);
    const { address, ...next } = sealedWallet(carla.clientId);
    const wallets = () => rest(`GET bot_wallets?select=bot_id,address,key_id`, carla.token);

    const rotation = { edge_token: inject('edgeToken'), client_id: carla.clientId, address, ...next };
    expect((await rest('POST rpc/rotate_key', carla.token, rotation)).status).toBe(200);
    expect((await wallets()).rows).toEqual([{ bot_id: bot, address, key_id: next.key_id }]);
    const [copy] = await operatorSql('select encrypted_key from public.bot_wallets where bot_id = $1', [bot]);
    expect(copy).toEqual({ encrypted_key: next.encrypted_key });

    const path = `trading_keys?client_id=eq.${carla.clientId}`;
    expect((await rest(`DELETE ${path}`, carla.token)).status).toBeLessThan(300);
    expect((await wallets()).rows).toEqual([{ bot_id: bot, address, key_id: null }]);
    expect((await rest('GET bots?select=status,stop_reason', carla.token)).rows).toEqual([
      { status: 'stopped', stop_reason: 'key_revoked' },
    ]);
    // A caller who kept the envelope cannot bring the key back, not even with the edge token.
    const again = { edge_token: inject('edgeToken'), client_id: carla.clientId, bot_type: 'evm-grid' };
    const wallet = { address, ...next };
    const back = await rest('POST rpc/setup_bot', carla.token, { ...again, name: 'x', config: {}, wallet });
    expect([back.status, JSON.parse(back.text).hint]).toEqual([409, 'key_id_ended']);
    await expect(
      operatorSql(
        `insert into public.trading_keys (client_id, address, chain, key_id, encrypted_key)
         values ($1, $2, $3, $4, $5)`,
        [carla.clientId, address, next.chain, next.key_id, next.encrypted_key],
      ),
    ).rejects.toThrow('The key with this id has ended');
  });
});

describe('a row that a CHECK rejects', () => {
  it.each([
    ['PATCH clients', { name: '' }],
    ['PATCH bots', { status: 'paused' }],
  ])('%s %j -> 400 with the SQLSTATE, as at a hosted project', async (line, body) => {
    const owner = line.endsWith('clients') ? 'id' : 'client_id';
    const answer = await rest(`${line}?${owner}=eq.${anna.clientId}`, anna.token, body);
    expect([answer.status, answer.code]).toEqual([400, '23514']);
  });
});

describe('a token that is not valid', () => {
  it.each([
    [
      'of another secret',
      () => accessToken({ sub: anna.userId }, 'another secret, just as long as the right one is'),
    ],
    ['that has expired', () => accessToken({ sub: anna.userId, iat: 1, exp: 2 })],
  ])('%s reads nothing', async (_, token) => {
    expect((await rest('GET clients?select=id', await token())).status).toBe(401);
  });

  it('for the service role is rejected by the grants', async () => {
    const answer = await rest('GET clients?select=id', await accessToken({ role: 'service_role' }));
    expect(answer.code).toBe('42501');
  });

  it('of another account does not read the bot of Anna, and the token of Anna does', async () => {
    expect((await rest('POST rpc/get_bot', anna.token, { bot_id: annasBot })).status).toBe(200);
    expect((await rest('POST rpc/get_bot', boris.token, { bot_id: annasBot })).code).toBe('PT404');
  });
});
