/** Envelopes are moved to a new master key while other jobs, runners, rotations and revocations run concurrently. */
import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { type Keyring, parseKeyring } from '../../src/crypto/keyring.ts';
import type { RewrappedKey, RewrapStore } from '../../src/database/as-rewrapper.ts';
import { hashOfMachineToken, newMachineToken } from '../../src/machine-token.ts';
import { runScheduled } from '../../src/monitor/index.ts';
import { rewrapKeys } from '../../src/services/rewrap.ts';
import { rewrapStore } from '../../tools/operator/rewrap-store.ts';
import { violationsOf } from '../support/invariants.ts';
import { newProject } from '../support/people.ts';
import type { Project } from '../support/projects.ts';
import { newPlatform, Traffic, wrongsOf } from '../support/rewrap-traffic.ts';

const newMasterKey = () => randomBytes(32).toString('base64');
const OLD = newMasterKey();
const NEW = newMasterKey();
const BOTH = `${NEW},${OLD}`;

let project: Project;
let sql: Sql;
let older: Keyring;
let newer: Keyring;
let both: Keyring;

beforeAll(async () => {
  project = await newProject();
  sql = postgres(project.databaseUrl, { max: 4, onnotice: () => {}, prepare: false });
  [older, newer, both] = await Promise.all([parseKeyring(OLD), parseKeyring(NEW), parseKeyring(BOTH)]);
});
afterAll(() => sql.end({ timeout: 1 }));

/** A token of the operator for moving envelopes to this master key. */
async function newRewrapToken(masterKeyId: string): Promise<string> {
  const token = newMachineToken();
  await sql`insert into public.machine_tokens (name, token_hash, scope, master_key_id, expires_at)
    values ('rewrap', decode(${hashOfMachineToken(token)}, 'hex'), 'rewrap', ${masterKeyId}, now() + interval '1 day')`;
  return token;
}

const bindings = (ENCRYPTION_KEY: string, REWRAP_TOKEN: string) => ({
  SUPABASE_URL: project.supabaseUrl,
  SUPABASE_PUBLISHABLE_KEY: inject('publishableKey'),
  EDGE_TOKEN: inject('edgeToken'),
  SUPABASE_JWT_SECRET: inject('jwtSecret'),
  ENCRYPTION_KEY,
  REWRAP_TOKEN,
});

/** Failed responses of the database API. The log line of a run reports them only as an unavailable database. */
const lost: string[] = [];
const answer = globalThis.fetch;
beforeAll(() => {
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (...request) => {
    const response = await answer(...request).catch((error) => {
      lost.push(`${error} ${error.cause}`);
      throw error;
    });
    if (response.status >= 500) lost.push(`${response.status} ${await response.clone().text()}`);
    return response;
  });
});
afterAll(() => vi.restoreAllMocks());

/** Runs the cron this many times concurrently. Returns the log lines. */
async function cron(env: ReturnType<typeof bindings>, runs = 1) {
  const lines: Record<string, unknown>[] = [];
  const spies = (['info', 'error'] as const).map((level) =>
    vi.spyOn(console, level).mockImplementation((line) => void lines.push(JSON.parse(line))),
  );
  await Promise.all(Array.from({ length: runs }, () => runScheduled(env)));
  for (const spy of spies) spy.mockRestore();
  return lines.filter(({ event }) => String(event).startsWith('rewrap'));
}

const operatorPass = (keyring: Keyring, options: Partial<Parameters<typeof rewrapKeys>[2]> = {}) =>
  rewrapKeys(rewrapStore(sql, keyring.primary.id), keyring, { batch: 20, limit: 100_000, ...options });

describe('a platform of 120 clients under traffic', () => {
  it('is moved by three concurrent jobs, without an effect on any other call', async () => {
    const platform = await newPlatform(project.databaseUrl, 120, older);
    const traffic = new Traffic(platform, both);
    traffic.sign(4);
    traffic.rotate([both, older], 15);
    traffic.revoke(6, 60);
    const env = bindings(BOTH, await newRewrapToken(newer.primary.id));
    const [runs, pass] = await Promise.all([cron(env, 2), operatorPass(both)]);
    // At least the number of actions that is asserted below, however slow the machine is.
    const enough = () =>
      traffic.rotations > 5 && traffic.revocations > 2 && (traffic.signatures.get('ok') ?? 0) > 100;
    while (!enough()) await wait(10);
    await traffic.stop();
    // Envelopes that were sealed under the older master key in the meantime, or that a run had no time for.
    for (let left = Number.NaN; left !== 0; left = Number(runs.at(-1)?.left)) runs.push(...(await cron(env)));
    expect(lost).toEqual([]);
    expect(runs.filter(({ level, not_opened }) => level !== 'info' || not_opened !== 0)).toEqual([]);
    const moved = [...runs, pass].map((one) => Number(one.moved));
    const [{ count } = raise()] = await platform.sql<{ count: number }[]>`
      select count(*)::integer as count from private.every_key_event where event = 'key_rewrapped'`;
    expect(moved.reduce((sum, one) => sum + one)).toBe(count);
    expect(await wrongsOf(platform, newer)).toEqual([]);
    expect(
      await violationsOf(
        platform.sql,
        platform.clients.map(({ id }) => id),
      ),
    ).toEqual([]);
    expect(traffic.rotations).toBeGreaterThan(5);
    expect(traffic.revocations).toBeGreaterThan(2);
    // A revocation ends the token too.
    expect([...traffic.signatures.keys()].filter((outcome) => outcome !== 'PT401 token_invalid')).toEqual([
      'ok',
    ]);
    expect(traffic.signatures.get('ok')).toBeGreaterThan(100);
    await platform.sql.end({ timeout: 1 });
  });
});

describe('one pass', () => {
  /** Moves everything back to the older key, as rotations by an isolate that did not have the newer key yet. */
  async function threeClients() {
    const platform = await newPlatform(project.databaseUrl, 3, older);
    return { platform, ids: platform.clients.map(({ id }) => id) };
  }
  /** The number of transactions that wait for a lock. */
  const waiting = async () => {
    const [row] = await sql<[{ count: number }]>`
      select count(*)::integer as count from pg_locks join pg_stat_activity using (pid)
      where not granted and datname = current_database()`;
    return row.count;
  };
  const masterKeysOf = async (ids: readonly string[]) => {
    const rows = await sql<{ id: string }[]>`
      select distinct master_key_id as id from public.trading_keys where client_id = any (${[...ids]}::uuid[])
      union select master_key_id from public.bot_wallets
      where client_id = any (${[...ids]}::uuid[]) and master_key_id is not null`;
    return rows.map(({ id }) => id);
  };

  it('seals once for a key with many copies', async () => {
    const { platform, ids } = await threeClients();
    const bots = Array.from({ length: 40 }, () => ({
      client_id: ids[1] ?? '',
      bot_type: 'evm-grid',
      name: 'x',
    }));
    const made = await sql<{ id: string }[]>`insert into public.bots ${sql(bots)} returning id`;
    const [{ address } = raise()] = await sql<{ address: string }[]>`
      select address from public.trading_keys where client_id = ${ids[1] ?? ''}`;
    await sql`insert into public.bot_wallets ${sql(
      made.map(({ id }) => ({ bot_id: id, client_id: ids[1] ?? '', address, chain: 'evm' })),
    )}`;
    const put: RewrappedKey[] = [];
    const real = rewrapStore(sql, newer.primary.id);
    const store: RewrapStore = {
      ...real,
      replace(keys) {
        put.push(...keys);
        return real.replace(keys);
      },
    };
    const result = await rewrapKeys(store, both, { batch: 50, limit: 100 });
    // Three trading keys and one own key of a wallet.
    expect(result).toMatchObject({ moved: 4, left: 0, complete: true });
    // Each may be returned more than once, and is then the same one.
    expect(new Set(put.map(({ encrypted_key }) => encrypted_key)).size).toBe(4);
    expect(await masterKeysOf(ids)).toEqual([newer.primary.id]);
    const [{ envelopes } = raise()] = await sql<{ envelopes: number }[]>`
      select count(distinct encrypted_key)::integer as envelopes from public.bot_wallets where client_id = ${ids[1] ?? ''}`;
    expect(envelopes).toBe(1);
    expect(await wrongsOf(platform, newer)).toEqual([]);
    await platform.sql.end();
  });

  it('that is a dry run changes nothing, and reports what it would do', async () => {
    const { platform, ids } = await threeClients();
    expect(await operatorPass(both, { dryRun: true })).toMatchObject({ moved: 4, left: 4 });
    expect(await masterKeysOf(ids)).toEqual([older.primary.id]);
    expect(await operatorPass(both)).toMatchObject({ moved: 4, left: 0 });
    await platform.sql.end();
  });

  it('stops at its limit, and the next pass continues', async () => {
    const { platform } = await threeClients();
    expect(await operatorPass(both, { batch: 2, limit: 3 })).toMatchObject({
      moved: 3,
      left: 1,
      complete: false,
    });
    expect(await operatorPass(both, { shouldContinue: () => false })).toMatchObject({
      moved: 0,
      left: 1,
      complete: false,
    });
    expect(await operatorPass(both)).toMatchObject({ moved: 1, left: 0, complete: true });
    await platform.sql.end();
  });

  it('returns envelopes again that a call to the database had no time for, until they are stored', async () => {
    const { platform } = await threeClients();
    const real = rewrapStore(sql, newer.primary.id);
    const sizes: number[] = [];
    const slow: RewrapStore = {
      ...real,
      async replace(keys) {
        sizes.push(keys.length);
        const [first = raise(), ...rest] = keys;
        return [...(await real.replace([first])), ...rest.map(() => 'deferred' as const)];
      },
    };
    const options = { batch: 20, limit: 100 };
    expect(await rewrapKeys(slow, both, options)).toMatchObject({ moved: 4, left: 0 });
    expect(sizes).toEqual([4, 3, 2, 1]);
    expect(await wrongsOf(platform, newer)).toEqual([]);
    await platform.sql.end();
  });

  it('that can store nothing ends', async () => {
    const { platform } = await threeClients();
    const real = rewrapStore(sql, newer.primary.id);
    const stuck: RewrapStore = { ...real, replace: async (keys) => keys.map(() => 'deferred') };
    await expect(rewrapKeys(stuck, both, { batch: 20, limit: 100 })).rejects.toThrow(TypeError);
    expect(await operatorPass(both)).toMatchObject({ moved: 4, left: 0 });
    await platform.sql.end();
  });

  it('that gets an empty result for the envelopes it stored counts none as moved', async () => {
    const { platform } = await threeClients();
    const silent: RewrapStore = { ...rewrapStore(sql, newer.primary.id), replace: async () => [] };
    expect(await rewrapKeys(silent, both, { batch: 20, limit: 100 })).toMatchObject({
      moved: 0,
      busy: 4,
      left: 4,
    });
    expect(await operatorPass(both)).toMatchObject({ moved: 4, left: 0 });
    await platform.sql.end();
  });

  it('waits for ten of the keys in use, one by one, and leaves the others to the next pass', async () => {
    const platform = await newPlatform(project.databaseUrl, 9, older);
    const sizes: number[] = [];
    const busy: RewrapStore = {
      ...rewrapStore(sql, newer.primary.id),
      async replace(keys) {
        sizes.push(keys.length);
        return keys.map(() => 'busy');
      },
    };
    // Nine trading keys and three own keys of wallets.
    expect(await rewrapKeys(busy, both, { batch: 20, limit: 100 })).toMatchObject({ moved: 0, busy: 12 });
    expect(sizes).toEqual([12, ...Array(10).fill(1)]);
    expect(await operatorPass(both)).toMatchObject({ moved: 12, left: 0 });
    await platform.sql.end();
  });

  it('that fails for another reason than an envelope ends, and reports no envelope as not opened', async () => {
    const { platform } = await threeClients();
    const broken = { ...both, byId: new Map(both.byId) };
    broken.byId.get = () => {
      throw new RangeError('a mistake');
    };
    const named: unknown[] = [];
    const pass = operatorPass(broken, { onNotOpened: (key) => named.push(key) });
    await expect(pass).rejects.toThrow(RangeError);
    expect(named).toEqual([]);
    expect(await operatorPass(both)).toMatchObject({ moved: 4, left: 0 });
    await platform.sql.end();
  });

  it('waits for a concurrent pass that has not committed, and gets the envelopes after it', async () => {
    const { platform } = await threeClients();
    const token = await newRewrapToken(newer.primary.id);
    const ids = [newer.primary.id, older.primary.id];
    const next = async (tx: postgres.ISql) => {
      const [{ page } = raise()] = await tx<{ page: { items: { key_id: string }[] } }[]>`
        select public.list_envelopes_to_rewrap(${inject('edgeToken')}, ${token}, ${ids}::text[], 1) as page`;
      return page.items.map(({ key_id }) => key_id);
    };
    const seen = [await next(sql)];
    let second: Promise<string[]> = Promise.resolve([]);
    await sql.begin(async (tx) => {
      seen.push(await next(tx));
      let done = false;
      second = next(sql).finally(() => {
        done = true;
      });
      await vi.waitUntil(async () => done || (await waiting()) > 0);
    });
    seen.push(await second);
    expect(new Set(seen.flat()).size).toBe(3);
    await operatorPass(both);
    await platform.sql.end();
  });

  it.each<[string, (tx: postgres.TransactionSql, clientId: string) => Promise<unknown>]>([
    [
      'keys are',
      (tx, clientId) => tx`select pg_advisory_xact_lock_shared(private.lock_of_keys(${clientId}))`,
    ],
    ['row is', (tx, clientId) => tx`select from public.clients where id = ${clientId} for no key update`],
    // As a session that changes or deletes a key by its own SQL: it has locked the row before any trigger runs.
    [
      'key is',
      (tx, clientId) => tx`select from public.trading_keys where client_id = ${clientId} for update`,
    ],
  ])('skips a client whose %s in use, and returns to it later', async (_, use) => {
    const { platform, ids } = await threeClients();
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const locked = Promise.withResolvers<void>();
    const holder = platform.sql.begin(async (tx) => {
      await use(tx, ids[0] ?? '');
      locked.resolve();
      await held;
    });
    await locked.promise;
    const real = rewrapStore(sql, newer.primary.id);
    const waited = { inBatches: 0, alone: 0 };
    const store: RewrapStore = {
      ...real,
      async replace(keys) {
        let done = false;
        const outcomes = real.replace(keys).finally(() => {
          done = true;
        });
        while (!done) waited[keys.length > 1 ? 'inBatches' : 'alone'] += await waiting();
        return outcomes;
      },
    };
    const first = await rewrapKeys(store, both, { batch: 20, limit: 100 });
    expect(first).toMatchObject({ busy: 2, moved: 2, left: 2, complete: true });
    expect(waited.inBatches).toBe(0);
    expect(waited.alone).toBeGreaterThan(0);
    release();
    await holder;
    expect(await operatorPass(both)).toMatchObject({ busy: 0, moved: 2, left: 0 });
    expect(await wrongsOf(platform, newer)).toEqual([]);
    await platform.sql.end();
  });

  it('keeps no lock of a client whose keys were in use', async () => {
    const { platform, ids } = await threeClients();
    const [inUse = ''] = ids;
    const before = rewrapStore(sql, newer.primary.id);
    const seen: string[][] = [];
    await platform.sql.begin(async (signing) => {
      await signing`select pg_advisory_xact_lock_shared(private.lock_of_keys(${inUse}))`;
      const store: RewrapStore = {
        ...before,
        replace: (keys) =>
          sql.begin(async (tx) => {
            const outcomes = await rewrapStore(tx as unknown as Sql, newer.primary.id).replace(keys);
            seen.push(outcomes);
            // As a caller who revokes it in the meantime.
            await sql`select from public.trading_keys where client_id = ${inUse} for update nowait`;
            return outcomes;
          }),
      };
      await rewrapKeys(store, both, { batch: 20, limit: 100 });
    });
    expect(seen[0]?.toSorted()).toEqual(['busy', 'busy', 'moved', 'moved']);
    await operatorPass(both);
    expect(await wrongsOf(platform, newer)).toEqual([]);
    await platform.sql.end();
  });

  it('moves a client whose keys are always in use', async () => {
    const { platform, ids } = await threeClients();
    let stopped = false;
    // Three runners sign in turns, so that one of them always has the lock.
    const signers = [0, 1, 2].map(async (place) => {
      await wait(place * 20);
      while (!stopped) {
        await platform.sql.begin(async (tx) => {
          await tx`select pg_advisory_xact_lock_shared(private.lock_of_keys(${ids[0] ?? ''}))`;
          await wait(60);
        });
      }
    });
    await wait(100);
    // In one pass or a few: each waits for half a second at most.
    await vi.waitUntil(async () => (await operatorPass(both)).left === 0, { timeout: 20_000 });
    stopped = true;
    await Promise.all(signers);
    expect(await wrongsOf(platform, newer)).toEqual([]);
    await platform.sql.end();
  });

  it('leaves keys unchanged that are rotated or revoked between reading and storing', async () => {
    const { platform } = await threeClients();
    const [one, two] = platform.clients;
    if (!one || !two) throw raise();
    const real = rewrapStore(sql, newer.primary.id);
    const store: RewrapStore = {
      ...real,
      async replace(keys) {
        if (two.keyId !== undefined) {
          const traffic = new Traffic(platform, both);
          traffic.rotate([older], 0);
          await vi.waitUntil(() => traffic.rotations > 0);
          await traffic.stop();
          two.keyId = undefined;
          await sql`delete from public.trading_keys where client_id = ${two.id}`;
        }
        return real.replace(keys);
      },
    };
    const result = await rewrapKeys(store, both, { batch: 50, limit: 100 });
    expect(result.changed).toBeGreaterThanOrEqual(3);
    expect(result.busy).toBe(0);
    await operatorPass(both);
    expect(await wrongsOf(platform, newer)).toEqual([]);
    await platform.sql.end();
  });
});

describe('an envelope that does not open', () => {
  it('is named, counted and left unchanged, and does not stop the pass', async () => {
    const platform = await newPlatform(project.databaseUrl, 3, older);
    const spoilt = platform.clients[1];
    if (!spoilt) throw raise();
    const [row] = await sql<[{ encrypted_key: string; address: string; key_id: string }]>`
      select encrypted_key, address, key_id from public.trading_keys where client_id = ${spoilt.id}`;
    // A correct header with a wrong ciphertext: a client may store it directly at the REST API.
    const parts = row.encrypted_key.split('.');
    const wrong = [...parts.slice(0, 3), randomBytes(32).toString('base64url'), parts[4]].join('.');
    await sql`update public.trading_keys set encrypted_key = ${wrong} where client_id = ${spoilt.id}`;

    const env = bindings(BOTH, await newRewrapToken(newer.primary.id));
    const lines = await cron(env);
    expect(lines).toEqual([
      expect.objectContaining({
        event: 'rewrap_not_opened',
        level: 'error',
        client_id: spoilt.id,
        key_id: row.key_id,
      }),
      expect.objectContaining({ event: 'rewrap', moved: 3, changed: 0, busy: 0, not_opened: 1, left: 1 }),
    ]);
    expect(JSON.stringify(lines)).not.toContain(wrong.slice(0, 40));
    const named: unknown[] = [];
    expect(
      await operatorPass(both, { batch: 1, onNotOpened: (key) => named.push(key.key_id) }),
    ).toMatchObject({
      moved: 0,
      not_opened: 1,
      left: 1,
    });
    expect(named).toEqual([row.key_id]);
    const [after] = await sql<[{ encrypted_key: string }]>`
      select encrypted_key from public.trading_keys where client_id = ${spoilt.id}`;
    expect(after.encrypted_key).toBe(wrong);
    await sql`delete from public.trading_keys where client_id = ${spoilt.id}`;
    await platform.sql.end();
  });

  it('is one of many -> twenty are named, and all are counted', async () => {
    const platform = await newPlatform(project.databaseUrl, 25, older);
    for (const { id } of platform.clients) {
      const [row] = await sql<[{ encrypted_key: string }]>`
        select encrypted_key from public.trading_keys where client_id = ${id}`;
      const parts = row.encrypted_key.split('.');
      const wrong = [...parts.slice(0, 3), randomBytes(32).toString('base64url'), parts[4]].join('.');
      await sql`update public.trading_keys set encrypted_key = ${wrong} where client_id = ${id}`;
    }
    const lines = await cron(bindings(BOTH, await newRewrapToken(newer.primary.id)));
    expect(lines.filter(({ event }) => event === 'rewrap_not_opened')).toHaveLength(20);
    expect(lines.at(-1)).toMatchObject({ event: 'rewrap', moved: 7, not_opened: 25, left: 25 });
    await sql`delete from public.trading_keys
      where client_id = any (${platform.clients.map(({ id }) => id)}::uuid[])`;
    await platform.sql.end();
  });

  it('because its master key is not in ENCRYPTION_KEY is not returned at all, and counts as left', async () => {
    const platform = await newPlatform(project.databaseUrl, 3, older);
    expect(await operatorPass(newer)).toMatchObject({ moved: 0, not_opened: 0, left: 4 });
    expect(await operatorPass(both)).toMatchObject({ moved: 4, left: 0 });
    await platform.sql.end();
  });
});

describe('the cron job', () => {
  it('without REWRAP_TOKEN does nothing and logs nothing', async () => {
    expect(await cron({ ...bindings(BOTH, '') })).toEqual([]);
  });

  it.each([
    ['a text that is not a token', async () => bindings(BOTH, 'tk_x'), 'token_invalid'],
    ['a token that was never issued', async () => bindings(BOTH, newMachineToken()), 'token_invalid'],
    [
      'a token for another master key than the first',
      async () => bindings(`${OLD},${NEW}`, await newRewrapToken(newer.primary.id)),
      'rewrap_token_mismatch',
    ],
    ['no master key', async () => bindings('', await newRewrapToken(newer.primary.id)), 'master_key_missing'],
  ])('with %s says which problem it has', async (_, env, code) => {
    expect(await cron(await env())).toEqual([
      expect.objectContaining({ event: 'rewrap', level: 'error', code }),
    ]);
  });

  it('stops at the time limit of a run, and the next run continues', async () => {
    const token = await newRewrapToken(newer.primary.id);
    const platform = await newPlatform(project.databaseUrl, 110, older);
    const clock = vi.spyOn(Date, 'now');
    const start = Date.now();
    // Each reading of the clock is ten seconds later.
    let looks = 0;
    clock.mockImplementation(() => start + 10_000 * looks++);
    const [first] = await cron(bindings(BOTH, token)).finally(() => clock.mockRestore());
    expect(first).toMatchObject({ moved: 50, left: 88 });
    // With enough time, it moves as many batches as it takes.
    const [second] = await cron(bindings(BOTH, token));
    expect(second).toMatchObject({ moved: 88, left: 0 });
    expect(await wrongsOf(platform, newer)).toEqual([]);
    await platform.sql.end();
  });
});

describe('an opened private key', () => {
  it('is overwritten with zeros, both times, also if it is not stored', async () => {
    const platform = await newPlatform(project.databaseUrl, 1, older);
    const secrets = [...platform.secrets.values()];
    const seen: Uint8Array[] = [];
    const decrypt = crypto.subtle.decrypt.bind(crypto.subtle);
    const spy = vi.spyOn(crypto.subtle, 'decrypt').mockImplementation(async (...args) => {
      const bytes = new Uint8Array(await decrypt(...args));
      if (secrets.includes(Buffer.from(bytes).toString('hex'))) seen.push(bytes);
      return bytes.buffer;
    });
    await operatorPass(both, { dryRun: true });
    await operatorPass(both);
    spy.mockRestore();
    // A trading key and an own key of a wallet, opened twice each, in two passes.
    expect(seen).toHaveLength(8);
    expect(seen.every((bytes) => bytes.every((byte) => byte === 0))).toBe(true);
    await platform.sql.end();
  });

  it('is compared before its new envelope is stored', async () => {
    const platform = await newPlatform(project.databaseUrl, 1, older);
    const encrypt = crypto.subtle.encrypt.bind(crypto.subtle);
    const secrets = [...platform.secrets.values()];
    const spy = vi.spyOn(crypto.subtle, 'encrypt').mockImplementation((algorithm, key, data) => {
      const bytes = Buffer.from(data as Uint8Array);
      // A wrong sealing: another private key in a valid envelope.
      return encrypt(algorithm, key, secrets.includes(bytes.toString('hex')) ? randomBytes(32) : bytes);
    });
    await expect(operatorPass(both)).rejects.toThrow(TypeError);
    spy.mockRestore();
    expect(await operatorPass(both)).toMatchObject({ moved: 2, left: 0 });
    expect(await wrongsOf(platform, newer)).toEqual([]);
    await platform.sql.end();
  });
});

describe('readiness', () => {
  const count = async (...ids: string[]) => {
    const [row] = await sql.begin(async (tx) => {
      await tx`set local role anon`;
      return tx<
        [{ count: number | null }]
      >`select public.count_unopenable_envelopes(${ids}::text[]) as count`;
    });
    return row.count;
  };

  it('is counted if none of the master keys sealed it, up to a thousand; an anonymous caller gets no number for several clients', async () => {
    const apart = await newProject();
    const own = postgres(apart.databaseUrl, { max: 2, onnotice: () => {}, prepare: false });
    const shared = sql;
    sql = own;
    const [a, b] = [older.primary.id, newer.primary.id].sort() as [string, string];
    expect(await count('made up')).toBe(0);
    await newPlatform(apart.databaseUrl, 1, older).then(({ sql }) => sql.end());
    // The envelopes of one client alone are counted, because that client may have stored envelopes that no key opens.
    expect(await count('made up')).toBe(4);
    await newPlatform(apart.databaseUrl, 2, newer).then(({ sql }) => sql.end());
    // A trading key, two copies and an own key; then two trading keys, four copies and one own key.
    expect(await count(a, b)).toBe(0);
    expect(await count('!', a, 'Zz', b, '~')).toBe(0);
    expect(await count(newer.primary.id)).toBe(4);
    expect(await count(older.primary.id, 'x', older.primary.id)).toBe(7);
    expect(await count('made up', 'x')).toBeNull();
    // A thousand more copies.
    await own`with made as (
        insert into public.bots (client_id, bot_type, name)
        select client_id, 'evm-grid', 'x' from public.trading_keys, generate_series(1, 1000)
        where master_key_id = ${older.primary.id} returning id, client_id)
      insert into public.bot_wallets (bot_id, client_id, address, chain)
      select made.id, client_id, address, chain from made join public.trading_keys using (client_id)`;
    expect(await count(newer.primary.id)).toBe(1000);
    expect(await count(older.primary.id)).toBe(7);
    sql = shared;
    await own.end();
  });
});

function raise(): never {
  throw new TypeError('a value is missing');
}
