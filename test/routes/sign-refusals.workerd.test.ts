/** A failure before, at or after opening the key: a fixed problem, no signature, and no unnecessary reservation. */
import { afterAll, describe, expect, it } from 'vitest';
import { call, MASTER_KEY, settings } from '../support/api.ts';
import { newClientWithBot } from '../support/bots.ts';
import { operatorSql } from '../support/people.ts';
import { newEvmKey } from '../support/private-keys.ts';
import { expectProblem } from '../support/problems.ts';
import { newClientWithRunner, setPolicy, sign } from '../support/runners.ts';
import { compiled, messageOf, newAddress, transfer } from '../support/solana.ts';

const own = await newClientWithRunner();
await setPolicy(own, own.botId, { max_value_24h: '1000' });
const transaction = (change: object = {}) => ({
  type: 'evm.transaction',
  transaction: {
    chainId: 1,
    nonce: 0,
    gas: 21_000,
    to: newEvmKey().address,
    value: 5,
    maxFeePerGas: 9,
    ...change,
  },
});

async function traces() {
  const [row] = await operatorSql<{ events: number; reserved: number }>(
    `select (select count(*) from private.every_key_event where bot_id = $1 and event = 'key_released')::int as events,
       (select count(*) from public.value_reservations where bot_id = $1)::int as reserved`,
    [own.botId],
  );
  return row;
}

describe('without the right master key', () => {
  const other = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32))));

  it.each([
    ['none', '', 'master_key_missing'],
    ['a malformed one', 'secret', 'master_key_malformed'],
  ] as const)('%s -> 503 before anything is reserved', async (_, ENCRYPTION_KEY, code) => {
    const before = await traces();
    expectProblem(await sign(own, transaction(), { env: { ...settings(), ENCRYPTION_KEY } }), 503, code);
    expect(await traces()).toEqual(before);
  });

  it('another key -> 503 key_decryption_failed; with the right key as second -> 200', async () => {
    const env = { ...settings(), ENCRYPTION_KEY: other };
    expectProblem(await sign(own, transaction(), { env }), 503, 'key_decryption_failed');
    const both = { ...settings(), ENCRYPTION_KEY: `${other},${MASTER_KEY}` };
    expect((await sign(own, transaction(), { env: both })).status).toBe(200);
  });
});

describe('a ciphertext that the owner of the tables moved, with triggers and checks off', () => {
  const CHECK = "a wallet's envelope names its own row";
  const restore: (() => Promise<unknown>)[] = [];
  afterAll(async () => {
    for (const undo of restore) await undo();
    await operatorSql(`alter table public.bot_wallets validate constraint "${CHECK}"`);
  });

  /** Writes a wallet's columns with the constraint off for this statement only. */
  async function force(botId: string, values: object) {
    const sets = Object.entries(values).map(([column, value]) => `${column} = '${value}'`);
    const [{ definition = '' } = {}] = await operatorSql<{ definition: string }>(
      'select pg_get_constraintdef(oid) as definition from pg_constraint where conname = $1',
      [CHECK],
    );
    await operatorSql(`do $do$ begin
      alter table public.bot_wallets drop constraint "${CHECK}";
      alter table public.bot_wallets disable trigger hold_key_ids_of_changed;
      alter table public.bot_wallets disable trigger end_key_ids_of_changed;
      update public.bot_wallets set ${sets.join(', ')} where bot_id = '${botId}';
      alter table public.bot_wallets enable always trigger hold_key_ids_of_changed;
      alter table public.bot_wallets enable always trigger end_key_ids_of_changed;
      alter table public.bot_wallets add constraint "${CHECK}" ${definition.replace(/ NOT VALID$/, '')} not valid;
      end $do$`);
  }

  it.each([
    ['its ciphertext alone', ['encrypted_key']],
    ['its ciphertext and key id', ['encrypted_key', 'key_id']],
    ['its ciphertext, key id and address', ['encrypted_key', 'key_id', 'address']],
  ])('%s of another client -> 503 key_decryption_failed, and no signature', async (_, columns) => {
    const [victim, thief] = [await newClientWithBot(), await newClientWithRunner()];
    const read = async (botId: string) =>
      (
        await operatorSql('select encrypted_key, key_id, address from public.bot_wallets where bot_id = $1', [
          botId,
        ])
      )[0] ?? {};
    const [theirs, mine] = [await read(victim.botId), await read(thief.botId)];
    restore.push(() => force(thief.botId, mine));
    await force(thief.botId, Object.fromEntries(columns.map((column) => [column, theirs[column]])));
    const answer = await sign(thief, { type: 'evm.message', message: 'hello' });
    expectProblem(answer, 503, 'key_decryption_failed');
    expect(answer.text).not.toContain(victim.key.address);
    await force(thief.botId, mine);
    expect((await sign(thief, { type: 'evm.message', message: 'hello' })).status).toBe(200);
  });
});

describe('a malformed request', () => {
  const SECRET = 'f00dcafef00dcafe';
  const made = messageOf(compiled(newAddress(), [transfer(newAddress(), newAddress(), 5)]));
  it.each<[string, unknown, number, string, string?]>([
    ['no JSON', '{', 400, 'json_malformed'],
    ['no type', {}, 422, 'validation_failed', '/type'],
    ['an unknown type', { type: 'evm.anything' }, 422, 'validation_failed', '/type'],
    [
      'a digest to sign',
      { type: 'evm.digest', digest: `0x${'00'.repeat(32)}` },
      422,
      'validation_failed',
      '/type',
    ],
    ['another member', { type: 'evm.message', message: 'x', [SECRET]: 1 }, 422, 'validation_failed', ''],
    [
      'a transaction that is text',
      { type: 'evm.transaction', transaction: '0x02f8' },
      422,
      'validation_failed',
      '/transaction',
    ],
    [
      'an empty transaction',
      { type: 'evm.transaction', transaction: {} },
      422,
      'transaction_malformed',
      '/transaction/chainId',
    ],
    [
      'an unknown field',
      transaction({ [SECRET]: 1 }),
      422,
      'transaction_malformed',
      '/transaction/(not shown)',
    ],
    [
      'a value that is not a number',
      transaction({ value: SECRET }),
      422,
      'transaction_malformed',
      '/transaction/value',
    ],
    ['malformed data', transaction({ data: SECRET }), 422, 'transaction_malformed', '/transaction/data'],
    [
      'typed data that is text',
      { type: 'evm.typed_data', typed_data: '{}' },
      422,
      'validation_failed',
      '/typed_data',
    ],
    [
      'typed data without types',
      { type: 'evm.typed_data', typed_data: { [SECRET]: 1 } },
      422,
      'typed_data_malformed',
      '/typed_data/types',
    ],
    ['a message that is a number', { type: 'evm.message', message: 1 }, 422, 'validation_failed', '/message'],
    [
      'a malformed raw message',
      { type: 'evm.message', message: { raw: SECRET } },
      422,
      'message_malformed',
      '/message/raw',
    ],
    [
      'a message of 33 KiB',
      { type: 'evm.message', message: SECRET.repeat(33 * 64) },
      422,
      'message_too_long',
      '/message',
    ],
    ['a message of 65 KiB', { type: 'evm.message', message: SECRET.repeat(65 * 64) }, 413, 'body_too_large'],
    [
      'a truncated Solana message',
      { type: 'solana.transaction', message: made.slice(0, 80) },
      422,
      'transaction_malformed',
      '/message',
    ],
    [
      'a Solana text to sign',
      { type: 'solana.transaction', message: btoa(SECRET) },
      422,
      'transaction_malformed',
      '/message',
    ],
    [
      'a malformed wallet',
      { type: 'evm.message', message: 'x', wallet: SECRET },
      422,
      'address_malformed',
      '/wallet',
    ],
  ])(
    '%s -> a specific problem that repeats no value, and reserves nothing',
    async (_, body, status, code, pointer) => {
      const before = await traces();
      const answer = await sign(own, body);
      expectProblem(answer, status, code as never);
      if (pointer !== undefined)
        expect(answer.json.errors).toContainEqual(expect.objectContaining({ pointer }));
      expect(answer.text).not.toContain(SECRET);
      expect(await traces()).toEqual(before);
    },
  );

  it('another type of content -> 415', async () => {
    const answer = await call(`POST /bots/${own.botId}/sign`, {
      token: own.machineToken,
      body: '{}',
      headers: { 'content-type': 'text/plain' },
    });
    expectProblem(answer, 415, 'media_type_unsupported');
  });
});
