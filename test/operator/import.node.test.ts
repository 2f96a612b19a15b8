/** Clients of an old backend: read from its running database, decrypted, sealed and stored under the rules of our database. */
import { randomUUID } from 'node:crypto';
import postgres, { type TransactionSql } from 'postgres';
import { afterAll, afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { call } from '../support/api.ts';
import { newClientWithBot, revoke, rotate } from '../support/bots.ts';
import { fernetToken, newFernetKey } from '../support/fernet.ts';
import { newAccount, operatorSql } from '../support/people.ts';
import { newEvmKey, newSolanaKey } from '../support/private-keys.ts';
import { clientOf, signers, stateOf } from './imported.ts';
import { endImports, importFrom, OldBackend } from './old-backend.ts';

let old: OldBackend;
beforeEach(async () => {
  old = await OldBackend.start();
});
afterEach(() => old.end());
afterAll(endImports);

/** A client with a trading key, a bot with a copy of it and an own key, and a bot without wallets. */
async function household(email?: string) {
  const client = await old.client(email);
  const [trading, own] = [newEvmKey(), newEvmKey()];
  const [bot, bare] = [await old.bot(client), await old.bot(client, 'evm-dca')];
  const key = await old.tradingKey(client, trading);
  const wallets = [await old.wallet(bot, trading), await old.wallet(bot, own)];
  const rows = [
    `clients ${client.id}`,
    `trading_keys ${key}`,
    `bots ${bot}`,
    `bot_wallets ${wallets[0]}`,
    `bot_wallets ${wallets[1]}`,
    `bots ${bare}`,
  ];
  return { client, trading, own, bot, bare, key, wallets, rows };
}
type Household = Awaited<ReturnType<typeof household>>;

/** The outcomes of an import for one household. */
const of = ({ rows }: Household, lines: readonly string[]) =>
  lines.filter((line) => rows.includes(line.slice(0, line.indexOf(':'))));
const all = ({ rows }: Household, as: string) => rows.map((row) => `${row}: ${as}`);
/** The same outcomes, but with this one for the rows that hold keys. */
const withKeys = ({ rows }: Household, as: string, keys: string) =>
  rows.map((row) => `${row}: ${/^(?:trading_keys|bot_wallets)/.test(row) ? keys : as}`);
const importedCount = async () =>
  (
    await operatorSql<{ count: string }>('select count(*) from private.imported_rows where source = $1', [
      old.source,
    ])
  )[0]?.count;

describe('an import', () => {
  test('imports a client with its bots and keys, which then sign with the right addresses', async () => {
    const house = await household();
    expect(of(house, await importFrom(old))).toEqual(all(house, 'taken'));
    expect(await stateOf(house.client.email)).toEqual({
      trading: house.trading.address,
      wallets: [`trading ${house.trading.address}`, `own ${house.own.address}`],
      bots: ['evm-grid stopped created', 'evm-dca stopped created'],
      events: [
        'client_created by operator',
        `key_added ${house.trading.address} by operator`,
        'bot_created by operator',
        `wallet_added ${house.trading.address} by operator`,
        `wallet_added ${house.own.address} by operator`,
        'bot_created by operator',
      ],
    });
    expect(await signers(house.client.email)).toEqual([house.trading.address, house.own.address].sort());
  });

  test('that is repeated changes nothing and reports it', async () => {
    const house = await household();
    await importFrom(old);
    const before = await stateOf(house.client.email);
    const count = await importedCount();
    expect(of(house, await importFrom(old))).toEqual(all(house, 'there'));
    expect(await stateOf(house.client.email)).toEqual(before);
    expect(await importedCount()).toBe(count);
  });

  test('imports Solana keys, as base58 and as the array of solana-keygen', async () => {
    const client = await old.client();
    const [trading, own] = [newSolanaKey(), newSolanaKey()];
    const bot = await old.bot(client, 'solana-grid');
    const array = fernetToken(old.fernetKey, JSON.stringify(own.array));
    await old.tradingKey(client, trading);
    await old.wallet(bot, own, { token: array });
    await importFrom(old);
    expect(await stateOf(client.email)).toMatchObject({
      trading: trading.address,
      wallets: [`own ${own.address}`],
    });
  });

  test('imports tokens that were stored as bytes', async () => {
    const client = await old.client();
    const key = newEvmKey();
    const bytes = Buffer.from(fernetToken(old.fernetKey, key.privateKey)).toString('hex');
    await old.tradingKey(client, key, { token: `\\x${bytes}` });
    await importFrom(old);
    expect((await stateOf(client.email)).trading).toBe(key.address);
  });

  test('accepts an address in lower case', async () => {
    const client = await old.client();
    const key = newEvmKey();
    await old.tradingKey(client, key, { address: key.address.toLowerCase() });
    await importFrom(old);
    expect((await stateOf(client.email)).trading).toBe(key.address);
  });

  test('uses an existing client, and links no account by its e-mail', async () => {
    const account = await newAccount();
    const existing = await newAccount();
    await operatorSql(`insert into public.clients (name, email, user_id) values ('Known', $1, $2)`, [
      existing.email,
      existing.userId,
    ]);
    const [one, two] = [await household(account.email), await household(existing.email.toUpperCase())];
    await importFrom(old);
    const found = await operatorSql<{ name: string; user_id: string | null }>(
      'select name, user_id from public.clients where email = any ($1) order by name',
      [[account.email, existing.email]],
    );
    expect(found).toEqual([
      { name: 'An old client', user_id: null },
      { name: 'Known', user_id: existing.userId },
    ]);
    expect((await stateOf(existing.email)).trading).toBe(two.trading.address);
    expect((await stateOf(account.email)).trading).toBe(one.trading.address);
  });

  test('imports no key for a client whose e-mail is equal only by the case rules of Unicode', async () => {
    const [victim, thief] = [`${crypto.randomUUID()}-kk@example.test`, newEvmKey()];
    await operatorSql(`insert into public.clients (name, email) values ('Known', $1)`, [victim]);
    // The Kelvin sign, whose lower case is an ordinary k.
    const client = await old.client(victim.replace('kk', 'k\u212a'));
    await old.tradingKey(client, thief);
    const outcomes = await importFrom(old);
    expect(outcomes).toContain(`clients ${client.id}: refused email_malformed`);
    expect((await stateOf(victim)).trading).toBeUndefined();
  });

  test('decrypts keys under each of several Fernet keys', async () => {
    const [first, second] = [await old.client(), await old.client()];
    const newer = newFernetKey();
    const [one, two] = [newEvmKey(), newEvmKey()];
    const firstRow = await old.tradingKey(first, one);
    const secondRow = await old.tradingKey(second, two, { under: newer });
    const lines = await importFrom(old);
    expect(lines).toContain(`trading_keys ${firstRow}: taken`);
    expect(lines).toContain(`trading_keys ${secondRow}: refused token_not_authentic`);
    expect((await stateOf(second.email)).trading).toBeUndefined();
    expect(await importFrom(old, { keys: `${newer},${old.fernetKey}` })).toContain(
      `trading_keys ${secondRow}: taken`,
    );
    expect((await stateOf(second.email)).trading).toBe(two.address);
  });
});

describe('a dry run', () => {
  test('reports the same outcomes and writes nothing', async () => {
    const house = await household();
    const count = await importedCount();
    expect(of(house, await importFrom(old, { dryRun: true }))).toEqual(all(house, 'taken'));
    expect(await importedCount()).toBe(count);
    expect((await clientOf(house.client.email)).clientId).toBe('');
    expect(of(house, await importFrom(old))).toEqual(all(house, 'taken'));
  });

  test('reports an address that two clients of the old database have', async () => {
    const [one, two, three] = [await old.client(), await old.client(), await old.client()];
    const key = newEvmKey();
    const rows = [await old.tradingKey(one, key), await old.tradingKey(two, key)];
    await old.tradingKey(three, newEvmKey());
    const wallet = await old.wallet(await old.bot(three), key);
    const expected = [
      `trading_keys ${rows[0]}: taken`,
      `trading_keys ${rows[1]}: refused address_taken`,
      `bot_wallets ${wallet}: refused address_taken`,
    ];
    expect(await importFrom(old, { dryRun: true })).toEqual(expect.arrayContaining(expected));
    expect(await importFrom(old)).toEqual(expect.arrayContaining(expected));
  });
});

describe('a rejected row is reported and not imported', () => {
  test.each<[string, Parameters<OldBackend['tradingKey']>[2] | (() => object), string]>([
    ['an address of another key', () => ({ address: newEvmKey().address }), 'address_mismatch'],
    ['an address of another chain', () => ({ address: newSolanaKey().address }), 'address_mismatch'],
    [
      'an address with a wrong checksum',
      () => ({ address: bentChecksum(newEvmKey().address) }),
      'address_checksum_invalid',
    ],
    ['no address', { address: null }, 'address_missing'],
    ['text for an address', { address: 'x' }, 'address_malformed'],
    ['a token under another key', () => ({ under: newFernetKey() }), 'token_not_authentic'],
    ['a malformed token', { token: 'gAAAAA' }, 'token_malformed'],
    ['no token', { token: null }, 'token_malformed'],
    [
      'a token of text',
      () => ({ token: fernetToken(old.fernetKey, 'my secret key') }),
      'private_key_malformed',
    ],
    [
      'a token of a short key',
      () => ({ token: fernetToken(old.fernetKey, '0xabc') }),
      'private_key_wrong_length',
    ],
    [
      'a token of zeros',
      () => ({ token: fernetToken(old.fernetKey, '0'.repeat(64)) }),
      'private_key_out_of_range',
    ],
    [
      'a token of another version',
      () => ({ token: fernetToken(old.fernetKey, 'x', { version: 1 }) }),
      'token_version_unknown',
    ],
    [
      'a token from the future',
      () => ({ token: fernetToken(old.fernetKey, 'x', { at: 2 ** 32 }) }),
      'token_from_the_future',
    ],
  ])('%s', async (_, row, reason) => {
    const house = await household();
    const client = await old.client();
    const bot = await old.bot(client);
    const key = await old.tradingKey(client, newEvmKey(), typeof row === 'function' ? row() : row);
    const wallet = await old.wallet(bot, newEvmKey());
    const lines = await importFrom(old);
    expect(lines).toContain(`trading_keys ${key}: refused ${reason}`);
    // The keys of its wallets are valid, but none of them becomes the trading key instead.
    expect(lines).toContain(`bot_wallets ${wallet}: refused trading_key_refused`);
    expect(await importFrom(old, { keysFromWallets: true })).toContain(
      `bot_wallets ${wallet}: refused trading_key_refused`,
    );
    expect(await stateOf(client.email)).toMatchObject({
      trading: undefined,
      wallets: [],
      events: ['client_created by operator', 'bot_created by operator'],
    });
    expect(of(house, lines)).toEqual(all(house, 'taken'));
  });

  test('only a wallet: the rest of its client is imported', async () => {
    const house = await household();
    const wallet = await old.wallet(house.bot, newEvmKey(), { address: newEvmKey().address });
    const lines = await importFrom(old);
    expect(lines).toContain(`bot_wallets ${wallet}: refused address_mismatch`);
    expect(of(house, lines)).toEqual(all(house, 'taken'));
    expect((await stateOf(house.client.email)).wallets).toHaveLength(2);
  });

  test('an address whose key another client has here', async () => {
    const holder = await newClientWithBot();
    const client = await old.client();
    const key = await old.tradingKey(client, holder.key);
    expect(await importFrom(old)).toContain(`trading_keys ${key}: refused address_taken`);
    expect((await stateOf(client.email)).trading).toBeUndefined();
  });

  test('a key for a client that has another key here', async () => {
    const account = await newClientWithBot();
    const house = await household(account.email);
    const lines = of(house, await importFrom(old));
    expect(lines).toContain(`trading_keys ${house.key}: refused another_key_here`);
    expect(lines).toContain(`bot_wallets ${house.wallets[1]}: refused trading_key_refused`);
    expect((await stateOf(account.email)).trading).toBe(account.key.address);
  });

  test('a key of a wallet for a client that has another trading key here, and none in the old database', async () => {
    const account = await newClientWithBot();
    const client = await old.client(account.email);
    const bot = await old.bot(client);
    const [own, same] = [await old.wallet(bot, newEvmKey()), await old.wallet(bot, account.key)];
    const lines = await importFrom(old, { keysFromWallets: true });
    expect(lines).toContain(`bot_wallets ${own}: refused another_key_here`);
    expect(lines).toContain(`bot_wallets ${same}: taken`);
    expect((await stateOf(account.email)).trading).toBe(account.key.address);
  });

  test('but not the same key that the client has submitted here itself', async () => {
    const account = await newClientWithBot();
    const client = await old.client(account.email);
    const key = await old.tradingKey(client, account.key);
    const bot = await old.bot(client);
    const own = newEvmKey();
    const wallet = await old.wallet(bot, own);
    const lines = await importFrom(old);
    expect(lines).toContain(`trading_keys ${key}: there`);
    expect(lines).toContain(`bot_wallets ${wallet}: taken`);
    expect((await stateOf(account.email)).wallets).toEqual([
      `trading ${account.key.address}`,
      `own ${own.address}`,
    ]);
  });

  test('bots of unknown types, with their wallets, unless the types are mapped', async () => {
    const client = await old.client();
    const key = newEvmKey();
    await old.tradingKey(client, key);
    const bot = await old.bot(client, 'Momentum 2');
    const wallet = await old.wallet(bot, key);
    const refused = [`bots ${bot}: refused bot_type_unknown`, `bot_wallets ${wallet}: refused bot_refused`];
    expect(await importFrom(old)).toEqual(expect.arrayContaining(refused));
    const botTypes = new Map([['Momentum 2', 'evm-dca']]);
    expect(await importFrom(old, { botTypes })).toEqual(
      expect.arrayContaining([`bots ${bot}: taken`, `bot_wallets ${wallet}: taken`]),
    );
    expect(await signers(client.email)).toEqual([key.address]);
  });

  test('a wallet of another chain family than its bot, and a wallet that the bot already has', async () => {
    const house = await household();
    const foreign = await old.wallet(house.bot, newSolanaKey());
    const again = await old.wallet(house.bot, house.own);
    const lines = await importFrom(old);
    expect(lines).toContain(`bot_wallets ${foreign}: refused chain_mismatch`);
    expect(lines).toContain(`bot_wallets ${again}: refused wallet_exists`);
    expect(of(house, lines)).toEqual(all(house, 'taken'));
  });

  test('rows without an owner, and clients without an e-mail or with the e-mail of another client', async () => {
    const nobody = { id: 1_000_000_000 };
    const [orphan, stray] = [await old.bot(nobody), await old.wallet(randomUUID(), newEvmKey())];
    const held = await old.wallet(orphan, newEvmKey());
    const lost = await old.tradingKey(nobody, newEvmKey());
    const house = await household();
    const namesake = await household(` ${house.client.email.toUpperCase()}`);
    const nameless = await household('nobody');
    const lines = await importFrom(old);
    expect(lines).toEqual(
      expect.arrayContaining([
        `bots ${orphan}: refused client_missing`,
        `bot_wallets ${held}: refused bot_refused`,
        `bot_wallets ${stray}: refused bot_missing`,
        `trading_keys ${lost}: refused client_missing`,
        `clients ${namesake.client.id}: refused email_taken`,
        `trading_keys ${namesake.key}: refused client_refused`,
        `bot_wallets ${namesake.wallets[0]}: refused client_refused`,
        `clients ${nameless.client.id}: refused email_malformed`,
      ]),
    );
    expect(of(house, lines)).toEqual(all(house, 'taken'));
    expect((await stateOf(house.client.email)).trading).toBe(house.trading.address);
  });

  test('a second old client with the e-mail of a client that an earlier run imported', async () => {
    const house = await household();
    await importFrom(old);
    await old.sql`update clients set email = ${`moved-${house.client.email}`} where id = ${house.client.id}`;
    const namesake = await household(house.client.email);
    const lines = await importFrom(old);
    expect(of(namesake, lines)[0]).toBe(`clients ${namesake.client.id}: refused email_taken`);
    expect(
      new Set(
        of(namesake, lines)
          .slice(1)
          .map((line) => line.split(' ').at(-1)),
      ),
    ).toEqual(new Set(['client_refused']));
    expect(of(house, lines)).toEqual(all(house, 'there'));
  });

  test('two trading keys of one client', async () => {
    const client = await old.client();
    const rows = [await old.tradingKey(client, newEvmKey()), await old.tradingKey(client, newEvmKey())];
    const lines = await importFrom(old);
    for (const row of rows) expect(lines).toContain(`trading_keys ${row}: refused trading_key_twice`);
    expect((await stateOf(client.email)).trading).toBeUndefined();
  });
});

describe('a key that ended in the old database stays ended', () => {
  test('an inactive key, and the keys in the wallets of its client', async () => {
    const house = await household();
    await old.sql`update trading_keys set is_active = false where id = ${house.key}`;
    const expected = withKeys(house, 'taken', 'left inactive');
    expect(of(house, await importFrom(old, { keysFromWallets: true }))).toEqual(expected);
    expect(await stateOf(house.client.email)).toMatchObject({ trading: undefined, wallets: [] });
  });

  test('also after it was imported: each run reports it until it is revoked here', async () => {
    const house = await household();
    await importFrom(old);
    await old.sql`update trading_keys set is_active = false where id = ${house.key}`;
    for (let run = 0; run < 2; run++) {
      expect(of(house, await importFrom(old))).toEqual(withKeys(house, 'there', 'refused ended_in_source'));
    }
    await operatorSql('select public.revoke_key(id) from public.clients where email = $1', [
      house.client.email,
    ]);
    expect(of(house, await importFrom(old))).toEqual(withKeys(house, 'there', 'left revoked_here'));
  });

  test.each([
    ['a trading key that was emptied', 'trading_keys'],
    ['a wallet that was emptied', 'bot_wallets'],
  ])('also %s after it was imported', async (_, table) => {
    const house = await household();
    await importFrom(old);
    const id = table === 'trading_keys' ? house.key : house.wallets[0];
    await old.sql`update ${old.sql(table)} set encrypted_private_key = null where id = ${id ?? ''}`;
    expect(await importFrom(old)).toContain(`${table} ${id}: refused ended_in_source`);
  });

  test('an inactive key beside the active one', async () => {
    const house = await household();
    const before = await old.tradingKey(house.client, newEvmKey(), { active: false });
    const lines = await importFrom(old);
    expect(lines).toContain(`trading_keys ${before}: left inactive`);
    expect(of(house, lines)).toEqual(all(house, 'taken'));
  });

  test('wallets of a client whose trading key is gone, unless an option includes them', async () => {
    const client = await old.client();
    const bot = await old.bot(client);
    const [first, second] = [newEvmKey(), newEvmKey()];
    const wallets = [await old.wallet(bot, first), await old.wallet(bot, second)];
    const empty = await old.wallet(bot, newEvmKey(), { token: null });
    const lines = await importFrom(old);
    for (const wallet of wallets) expect(lines).toContain(`bot_wallets ${wallet}: refused no_trading_key`);
    expect(lines).toContain(`bot_wallets ${empty}: left empty`);
    expect((await stateOf(client.email)).wallets).toEqual([]);

    const asked = await importFrom(old, { keysFromWallets: true });
    for (const wallet of wallets) expect(asked).toContain(`bot_wallets ${wallet}: taken`);
    expect(await stateOf(client.email)).toMatchObject({
      trading: first.address,
      wallets: [`trading ${first.address}`, `own ${second.address}`],
    });
  });
});

describe('an import does not undo a change that was made here', () => {
  const changed = async (change: (house: Household) => Promise<unknown>) => {
    const house = await household();
    await importFrom(old);
    await change(house);
    const before = await stateOf(house.client.email);
    // A wallet that the first run did not see.
    const late = await old.wallet(house.bot, newEvmKey());
    const lines = await importFrom(old);
    expect(await stateOf(house.client.email)).toEqual(before);
    return { house, lines, late, before };
  };

  test('a rotation', async () => {
    const next = newEvmKey();
    const { house, lines, late, before } = await changed(async ({ client }) =>
      rotate(await clientOf(client.email), { private_key: next.privateKey }),
    );
    expect(of(house, lines)).toEqual(withKeys(house, 'there', 'left rotated_here'));
    expect(lines).toContain(`bot_wallets ${late}: left rotated_here`);
    expect(before.trading).toBe(next.address);
  });

  test('a revocation', async () => {
    const { house, lines, late, before } = await changed(async ({ client }) =>
      revoke(await clientOf(client.email)),
    );
    expect(of(house, lines)).toEqual(withKeys(house, 'there', 'left revoked_here'));
    expect(lines).toContain(`bot_wallets ${late}: left revoked_here`);
    expect(before).toMatchObject({ trading: undefined, wallets: ['empty', 'empty'] });
  });

  test('a revocation by SQL, and a new key after it', async () => {
    const next = newEvmKey();
    const { house, lines } = await changed(async ({ client }) => {
      const { clientId, token } = await clientOf(client.email);
      await operatorSql('delete from public.trading_keys where client_id = $1', [clientId]);
      const body = { bot_type: 'evm-dca', private_key: next.privateKey };
      await call(`POST /clients/${clientId}/setup-bot`, { token, body });
    });
    expect(of(house, lines)).toEqual(withKeys(house, 'there', 'left revoked_here'));
  });

  test('a revocation before the first import, also if the record of imports is lost', async () => {
    const account = await newClientWithBot();
    await revoke(account);
    const house = await household(account.email);
    expect(of(house, await importFrom(old))).toEqual(withKeys(house, 'taken', 'left revoked_here'));
    await operatorSql('delete from private.imported_rows where client_id = $1', [account.clientId]);
    expect(of(house, await importFrom(old))).toEqual(withKeys(house, 'taken', 'left revoked_here'));
    expect((await stateOf(account.email)).trading).toBeUndefined();
  });

  test('a bot and a wallet that were deleted here', async () => {
    const house = await household();
    await importFrom(old);
    const { clientId } = await clientOf(house.client.email);
    await operatorSql('delete from public.bot_wallets where client_id = $1', [clientId]);
    await operatorSql('delete from public.bots where client_id = $1', [clientId]);
    const late = await old.wallet(house.bot, newEvmKey());
    const lines = await importFrom(old);
    expect(of(house, lines)).toEqual(all(house, 'there'));
    expect(lines).toContain(`bot_wallets ${late}: refused bot_refused`);
    expect((await stateOf(house.client.email)).bots).toEqual([]);
  });

  test('and a key that changed in the old database does not replace the key here', async () => {
    const house = await household();
    await importFrom(old);
    const next = newEvmKey();
    const token = fernetToken(old.fernetKey, next.privateKey);
    await old.sql`
      update trading_keys set wallet_address = ${next.address}, encrypted_private_key = ${token}
      where id = ${house.key}`;
    expect(await importFrom(old)).toContain(`trading_keys ${house.key}: refused changed_in_source`);
    expect((await stateOf(house.client.email)).trading).toBe(house.trading.address);
  });

  test('also if only its address has changed, or only its key', async () => {
    const house = await household();
    await importFrom(old);
    const next = newEvmKey();
    await old.sql`update trading_keys set wallet_address = ${next.address} where id = ${house.key}`;
    expect(await importFrom(old)).toContain(`trading_keys ${house.key}: refused changed_in_source`);
    const token = fernetToken(old.fernetKey, next.privateKey);
    await old.sql`
      update trading_keys set wallet_address = ${house.trading.address}, encrypted_private_key = ${token}
      where id = ${house.key}`;
    const map = { trading_keys: { address: null } };
    expect(await importFrom(old, { map })).toContain(`trading_keys ${house.key}: refused changed_in_source`);
    expect((await stateOf(house.client.email)).trading).toBe(house.trading.address);
  });
});

describe('interrupted and concurrent runs', () => {
  test('a run after an interrupted run continues where it stopped', async () => {
    const houses = [await household(), await household(), await household()];
    await importFrom(old, { breakAfter: 1 });
    const [first, , last] = houses as [Household, Household, Household];
    expect((await clientOf(last.client.email)).clientId).toBe('');
    const lines = await importFrom(old);
    expect(of(first, lines)).toEqual(all(first, 'there'));
    expect(of(last, lines)).toEqual(all(last, 'taken'));
    for (const { client, trading } of houses)
      expect((await stateOf(client.email)).trading).toBe(trading.address);
  });

  /** Makes the last row of a client fail this many times, with an error that is not a rejection of the row. */
  async function failing(house: Household, code: string, times: number, run: () => Promise<void>) {
    const [name, counter] = [`break_import_${house.client.id}`, `import_attempts_${house.client.id}`];
    await operatorSql(`create sequence extensions.${counter}`);
    await operatorSql(`create function extensions.${name}() returns trigger language plpgsql as $$begin
      if nextval('extensions.${counter}') <= ${times} then raise exception using errcode = '${code}'; end if;
      return new;
    end$$`);
    await operatorSql(`create trigger ${name} before insert on private.imported_rows for each row
      when (new.old_id = '${house.bare}') execute function extensions.${name}()`);
    try {
      await run();
      const [row] = await operatorSql<{ attempts: string }>(
        `select last_value as attempts from extensions.${counter}`,
      );
      return Number(row?.attempts);
    } finally {
      await operatorSql(`drop trigger ${name} on private.imported_rows`);
      await operatorSql(`drop function extensions.${name}()`);
      await operatorSql(`drop sequence extensions.${counter}`);
    }
  }

  test.each([
    ['57014', 1],
    ['40001', 5],
    ['40P01', 5],
  ])('a client is stored wholly or not at all: %s, after %i attempts', async (code, attempts) => {
    const house = await household();
    const made = await failing(house, code, 9, async () => {
      await expect(importFrom(old)).rejects.toMatchObject({ code });
      expect((await clientOf(house.client.email)).clientId).toBe('');
      expect(await operatorSql('select from private.imported_rows where old_id = $1', [house.bot])).toEqual(
        [],
      );
    });
    expect(made).toBe(attempts);
    expect(of(house, await importFrom(old))).toEqual(all(house, 'taken'));
  });

  test.each(['40001', '40P01'])('a transaction rolled back with %s is retried', async (code) => {
    const house = await household();
    await failing(house, code, 4, async () => {
      expect(of(house, await importFrom(old))).toEqual(all(house, 'taken'));
    });
    expect((await stateOf(house.client.email)).wallets).toHaveLength(2);
  });

  test('two concurrent runs import each row once', async () => {
    const houses: Household[] = [];
    for (let i = 0; i < 6; i += 1) houses.push(await household());
    const [one = [], two = []] = await Promise.all([importFrom(old), importFrom(old)]);
    for (const house of houses) {
      const said = of(house, one).map((line, at) => [line, of(house, two)[at]].sort());
      expect(said).toEqual(house.rows.map((row) => [`${row}: taken`, `${row}: there`].sort()));
      expect((await stateOf(house.client.email)).wallets).toHaveLength(2);
    }
  });
});

describe('a transaction that holds a lock of the import', () => {
  const connections = postgres(inject('databaseUrl'), { max: 2, onnotice: () => {} });
  afterAll(() => connections.end({ timeout: 1 }));

  /** Runs an import that must wait for this transaction: `before` runs first, `meanwhile` while the import waits. */
  async function importBehind(
    before: (sql: TransactionSql) => Promise<unknown>,
    meanwhile: (sql: TransactionSql) => Promise<unknown> = async () => {},
  ): Promise<string[]> {
    let ended = false;
    const importing = await connections.begin(async (sql) => {
      await before(sql);
      const [{ pid = 0 } = {}] = await sql<{ pid: number }[]>`select pg_backend_pid() as pid`;
      const lines = importFrom(old).finally(() => {
        ended = true;
      });
      lines.catch(() => {});
      const waiting = () =>
        connections`select from pg_stat_activity where ${pid} = any (pg_blocking_pids(pid))`;
      while (!ended && (await waiting()).length === 0);
      if (!ended) await meanwhile(sql);
      return { lines, waited: !ended };
    });
    expect(importing.waited).toBe(true);
    return importing.lines;
  }
  const isFree = async (sql: TransactionSql, address: string) =>
    (
      await sql<{ free: boolean }[]>`
      select pg_try_advisory_xact_lock(private.lock_of('address', private.address_key(${address}))) as free`
    )[0]?.free;

  test('the import waits for a revocation in progress, and restores no key', async () => {
    const house = await household();
    await importFrom(old);
    const { clientId } = await clientOf(house.client.email);
    // A wallet that the first run did not see: its key would be the client's only key.
    const late = await old.wallet(house.bot, newEvmKey());
    const lines = await importBehind(
      (sql) => sql`delete from public.trading_keys where client_id = ${clientId}`,
    );
    expect(of(house, lines)).toEqual(withKeys(house, 'there', 'left revoked_here'));
    expect(lines).toContain(`bot_wallets ${late}: left revoked_here`);
    expect(await stateOf(house.client.email)).toMatchObject({
      trading: undefined,
      wallets: ['empty', 'empty'],
    });
  });

  test('the lock of the client is taken before the locks of addresses', async () => {
    const account = await newClientWithBot();
    const client = await old.client(account.email);
    await old.tradingKey(client, account.key);
    const own = newEvmKey();
    const wallet = await old.wallet(await old.bot(client), own);
    const lines = await importBehind(
      (sql) => sql`select private.lock_keys(${account.clientId})`,
      async (sql) => expect(await isFree(sql, own.address)).toBe(true),
    );
    expect(lines).toContain(`bot_wallets ${wallet}: taken`);
  });

  test('the locks of addresses are taken in the order of the API, whatever the order of the rows', async () => {
    const [one, two] = [newEvmKey(), newEvmKey()];
    const [first] = await operatorSql<{ address: string }>(
      `select address from unnest($1::text[]) as address
       order by private.lock_of('address', private.address_key(address))`,
      [[one.address, two.address]],
    );
    const [trading, own] = first?.address === one.address ? [two, one] : [one, two];
    const client = await old.client();
    await old.tradingKey(client, trading);
    const wallet = await old.wallet(await old.bot(client), own);
    const lines = await importBehind(
      (sql) => sql`select private.lock_addresses(${[own.address]}::text[])`,
      async (sql) => expect(await isFree(sql, trading.address)).toBe(true),
    );
    expect(lines).toContain(`bot_wallets ${wallet}: taken`);
  });
});

describe('an old database', () => {
  test('is not changed, whatever its views would do', async () => {
    await household();
    await old.sql.unsafe(`
      create table notes (id integer);
      alter table bots rename to real_bots;
      create function note() returns boolean language sql as $$insert into ${old.schema}.notes values (1) returning true$$;
      create view bots as select * from real_bots where (select note());`);
    await expect(importFrom(old)).rejects.toMatchObject({ code: '25006' });
    expect(await old.sql`select from notes`).toHaveLength(0);
  });

  test('is read in one snapshot', async () => {
    const house = await household();
    const other = postgres(old.url, { max: 1, connection: { search_path: old.schema } });
    // Tables are read in the order of their names: wallets before this table, clients after it.
    let importing: Promise<string[]> | undefined;
    await old.sql.begin(async (sql) => {
      await sql`lock table bots in access exclusive mode`;
      const [{ pid = 0 } = {}] = await sql<{ pid: number }[]>`select pg_backend_pid() as pid`;
      importing = importFrom(old);
      importing.catch(() => {});
      const waiting = () => other`select from pg_stat_activity where ${pid} = any (pg_blocking_pids(pid))`;
      while ((await waiting()).length === 0);
      await other`delete from clients where id = ${house.client.id}`;
    });
    expect(of(house, (await importing) ?? [])).toEqual(all(house, 'taken'));
    await other.end();
  });
});

describe('an old database with another schema', () => {
  test('with other names and without addresses, by a map', async () => {
    const other = await OldBackend.start(`
      create table customers (uid uuid primary key default gen_random_uuid(), mail text);
      create table keys (id bigserial primary key, customer uuid, sealed bytea);`);
    const key = newEvmKey();
    const email = `${randomUUID()}@example.test`;
    await other.sql`insert into customers (mail) values (${email})`;
    const token = Buffer.from(fernetToken(other.fernetKey, key.privateKey));
    await other.sql`insert into keys (customer, sealed) select uid, ${token} from customers`;
    const map = {
      clients: { table: 'customers', id: 'uid', email: 'mail' },
      trading_keys: { table: 'keys', client_id: 'customer', token: 'sealed', address: null },
    };
    expect((await importFrom(other, { map })).map((line) => line.split(': ')[1])).toEqual(['taken', 'taken']);
    expect((await stateOf(email)).trading).toBe(key.address);
    await other.end();
  });

  test('without a table of clients, by the e-mails of clients', async () => {
    const other = await OldBackend.start(
      'create table trading_keys (id serial primary key, client_id integer, address text, encrypted_key text)',
    );
    const key = newEvmKey();
    const email = `${randomUUID()}@example.test`;
    const token = fernetToken(other.fernetKey, key.privateKey);
    await other.sql`insert into trading_keys (client_id, address, encrypted_key) values (7, ${key.address}, ${token})`;
    await expect(importFrom(other)).rejects.toThrow('no table of clients');
    expect(await importFrom(other, { map: { emails: { 7: email } } })).toEqual([
      'clients 7: taken',
      'trading_keys 1: taken',
    ]);
    expect((await stateOf(email)).trading).toBe(key.address);
    await other.end();
  });

  test.each([
    ['a time at which it was revoked', 'revoked_at timestamp default now()'],
    ['a time at which it was deleted', 'deleted_at timestamp default now()'],
    ['f', "active text default 'f'"],
    ['False', "active text default 'False'"],
    ['0', 'active integer default 0'],
  ])('with keys that were ended, as by %s', async (_, column) => {
    const client = await old.client();
    const key = await old.tradingKey(client, newEvmKey());
    await old.sql.unsafe(`alter table trading_keys drop column is_active, add column ${column}`);
    expect(await importFrom(old)).toContain(`trading_keys ${key}: left inactive`);
    expect((await stateOf(client.email)).trading).toBeUndefined();
  });

  test('with a wrong e-mail there, by the right e-mail', async () => {
    const house = await household();
    const email = `${randomUUID()}@example.test`;
    const map = { emails: { [house.client.id]: email } };
    expect(of(house, await importFrom(old, { map }))).toEqual(all(house, 'taken'));
    expect((await stateOf(email)).trading).toBe(house.trading.address);
    expect((await clientOf(house.client.email)).clientId).toBe('');
  });

  test('with malformed ids, and an id that occurs twice: neither is imported, and no id is printed that may be a key', async () => {
    const { privateKey } = newEvmKey();
    const house = await household();
    await old.sql`alter table bots drop constraint bots_pkey, alter id drop not null, alter id type text`;
    await old.sql`insert into bots (id, client_id, name, bot_type) values
      (${privateKey}, ${house.client.id}, 'x', 'evm-grid'), (${house.bot}, ${house.client.id}, 'y', 'evm-grid'),
      (null, ${house.client.id}, 'z', 'evm-grid')`;
    const lines = await importFrom(old);
    expect(of(house, lines)).toEqual(expect.arrayContaining(all(house, 'taken')));
    expect(lines).toContain('bots row 3: refused id_malformed');
    expect(lines).toContain(`bots ${house.bot}: refused id_twice`);
    expect(lines).toContain('bots row 5: refused id_malformed');
    expect(lines.join()).not.toContain(privateKey.slice(2));
  });

  test('of rows with the same time the lower id is the older: its key is the first', async () => {
    const client = await old.client();
    const bot = await old.bot(client);
    const keys = [newEvmKey(), newEvmKey(), newEvmKey()];
    await old.sql`alter sequence bot_wallets_id_seq restart 9`;
    for (const key of keys) await old.wallet(bot, key);
    // The last row was created before the others.
    await old.sql`update bot_wallets set created_at = '2026-01-02'`;
    await old.sql`update bot_wallets set created_at = '2026-01-01' where id = 11`;
    await importFrom(old, { keysFromWallets: true });
    const [nine, ten, eleven] = keys;
    expect((await stateOf(client.email)).wallets).toEqual([
      `trading ${eleven?.address}`,
      `own ${nine?.address}`,
      `own ${ten?.address}`,
    ]);
  });
});

/** The address with the case of one letter changed, so that its checksum is wrong. */
function bentChecksum(address: string): string {
  const at = address.slice(2).search(/[a-f]/i) + 2;
  const letter = address.charAt(at);
  const other = letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase();
  return address.slice(0, at) + other + address.slice(at + 1);
}
