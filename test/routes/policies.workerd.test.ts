import { describe, expect, it } from 'vitest';
import { call } from '../support/api.ts';
import { newClientWithBot } from '../support/bots.ts';
import { newAccount, newAdmin, operatorSql } from '../support/people.ts';
import { newEvmKey, newSolanaKey } from '../support/private-keys.ts';
import { expectProblem } from '../support/problems.ts';
import { EIP55 } from '../support/published-keys.ts';
import { type ClientWithRunner, newClientWithRunner, setPolicy, sign } from '../support/runners.ts';
import {
  compiled,
  messageOf,
  newAddress,
  packed,
  SYSTEM,
  signerAccount,
  system,
  transfer,
} from '../support/solana.ts';

const admin = await newAdmin();
const stranger = await newClientWithBot();
const NONE = {
  kinds: null,
  chain_ids: null,
  recipients: null,
  max_value: null,
  max_value_24h: null,
  quarantine_after: null,
};
const [allowed, other] = [newEvmKey().address, newEvmKey().address];
const get = (as: { token: string }, botId: string) => call(`GET /bots/${botId}/policy`, { token: as.token });

const transaction = (change: object = {}) => ({
  type: 'evm.transaction',
  transaction: { chainId: 1, nonce: 0, gas: 21_000, to: allowed, value: '5', maxFeePerGas: 9, ...change },
});
const message = { type: 'evm.message', message: 'hello' };
const typedData = (chainId?: number) => ({
  type: 'evm.typed_data',
  typed_data: {
    domain: { name: 'x', ...(chainId && { chainId }) },
    types: { Note: [{ name: 'text', type: 'string' }] },
    primaryType: 'Note',
    message: { text: 'hello' },
  },
});
const OK = 'signed';
const outcome = async (bot: ClientWithRunner, body: unknown) => {
  const { status, json } = await sign(bot, body);
  return status === 200 ? OK : `${status} ${json.code}`;
};

describe('PUT and GET /bots/{id}/policy', () => {
  it.each([
    ['the client', (own: ClientWithRunner) => own],
    ['an admin', () => admin],
  ])('by %s -> the stored policy, in canonical form', async (_, as) => {
    const own = await newClientWithRunner();
    expect((await get(as(own), own.botId)).json).toEqual({ bot_id: own.botId, ...NONE, updated_at: null });
    const answer = await setPolicy(as(own), own.botId, {
      kinds: ['evm.transaction'],
      chain_ids: [1, '8453'],
      recipients: [allowed.toLowerCase()],
      max_value: '1000000000000000000000',
      max_value_24h: (2n ** 256n - 1n).toString(),
      quarantine_after: 3,
    });
    expect(answer).toMatchObject({
      status: 200,
      json: {
        bot_id: own.botId,
        kinds: ['evm.transaction'],
        chain_ids: ['1', '8453'],
        recipients: [allowed],
        max_value: '1000000000000000000000',
        max_value_24h: (2n ** 256n - 1n).toString(),
        quarantine_after: 3,
        updated_at: expect.any(String),
      },
    });
    expect((await get(as(own), own.botId)).json).toEqual(answer.json);
    // Omitted fields are no longer limited.
    const second = await setPolicy(as(own), own.botId, { max_value: '0', chain_ids: null });
    expect(second.json).toMatchObject({ ...NONE, max_value: '0' });
  });

  it.each<[string, object, string]>([
    ['an unknown kind', { kinds: ['evm.anything'] }, '/kinds/0'],
    ['a chain id of 0', { chain_ids: [0] }, '/chain_ids/0'],
    ['a chain id in hex', { chain_ids: ['0x1'] }, '/chain_ids/0'],
    ['a chain id with a leading zero', { chain_ids: ['01'] }, '/chain_ids/0'],
    [
      'a recipient with a wrong checksum',
      { recipients: [EIP55.mixed[0].replace('a', 'A')] },
      '/recipients/0',
    ],
    ['a malformed recipient', { recipients: [allowed, 'unknown'] }, '/recipients/1'],
    ['a name as recipient', { recipients: ['vitalik.eth'] }, '/recipients/0'],
    ['101 recipients', { recipients: Array(101).fill(allowed) }, '/recipients'],
    ['a value that is a number', { max_value: 1 }, '/max_value'],
    ['a negative value', { max_value: '-1' }, '/max_value'],
    ['a value in hex', { max_value: '0x10' }, '/max_value'],
    ['a value in exponents', { max_value_24h: '1e18' }, '/max_value_24h'],
    ['a value of 79 digits', { max_value_24h: '9'.repeat(79) }, '/max_value_24h'],
    ['quarantine after 0 failures', { quarantine_after: 0 }, '/quarantine_after'],
    ['quarantine after 101 failures', { quarantine_after: 101 }, '/quarantine_after'],
    ['quarantine after half a failure', { quarantine_after: 0.5 }, '/quarantine_after'],
    ['quarantine after a text', { quarantine_after: '3' }, '/quarantine_after'],
    ['an unknown member', { max_valeu: '1' }, ''],
  ])('with %s -> 422, and nothing is changed', async (_, body, pointer) => {
    const own = await newClientWithRunner();
    await setPolicy(own, own.botId, { max_value: '7' });
    const answer = await setPolicy(own, own.botId, body);
    expectProblem(answer, 422, 'validation_failed');
    expect(answer.json.errors).toContainEqual(expect.objectContaining({ pointer }));
    expect((await get(own, own.botId)).json.max_value).toBe('7');
  });

  it('by another client, or by an account without a client -> the 404 of an absent bot, and changes nothing', async () => {
    const own = await newClientWithRunner();
    await setPolicy(own, own.botId, { max_value: '7' });
    for (const person of [stranger, await newAccount()]) {
      for (const botId of [own.botId, crypto.randomUUID()]) {
        expectProblem(await get(person, botId), 404, 'resource_not_found');
        expectProblem(await setPolicy(person, botId, {}), 404, 'resource_not_found');
      }
    }
    expect((await get(own, own.botId)).json.max_value).toBe('7');
  });
});

describe('each rule, with an allowed and a rejected request', () => {
  const all = [transaction(), message, typedData(1)];
  const cases: [string, object, [body: object, outcome: string][]][] = [
    ['no policy', {}, all.map((body) => [body, OK])],
    [
      'kinds',
      { kinds: ['evm.message'] },
      [
        [message, OK],
        [transaction(), '403 policy_kind_denied'],
        [typedData(1), '403 policy_kind_denied'],
      ],
    ],
    ['no kinds at all', { kinds: [] }, all.map((body) => [body, '403 policy_kind_denied'])],
    [
      'chain ids',
      { chain_ids: [1, 10] },
      [
        [transaction({ chainId: '0xa' }), OK],
        [transaction({ chainId: 11 }), '403 policy_chain_denied'],
        [typedData(10), OK],
        [typedData(11), '403 policy_chain_denied'],
        [typedData(), '403 policy_chain_denied'],
        [message, OK],
      ],
    ],
    [
      'recipients',
      { recipients: [allowed] },
      [
        [transaction(), OK],
        [transaction({ to: allowed.toLowerCase() }), OK],
        [transaction({ to: other }), '403 policy_recipient_denied'],
        [transaction({ to: null, data: '0x00' }), '403 policy_recipient_denied'],
        [message, '403 policy_kind_denied'],
        [typedData(1), '403 policy_kind_denied'],
      ],
    ],
    ['no recipients at all', { recipients: [] }, [[transaction(), '403 policy_recipient_denied']]],
    [
      'a value',
      { max_value: '5' },
      [
        [transaction(), OK],
        [transaction({ value: undefined }), OK],
        [transaction({ value: 6 }), '403 policy_value_exceeded'],
        [transaction({ value: (2n ** 256n - 1n).toString() }), '403 policy_value_exceeded'],
        [message, '403 policy_kind_denied'],
      ],
    ],
    [
      'a value of 0',
      { max_value: '0' },
      [
        [transaction(), '403 policy_value_exceeded'],
        [transaction({ value: 0 }), OK],
      ],
    ],
    [
      'a value in 24 hours',
      { max_value_24h: '12' },
      [
        [transaction(), OK],
        [transaction({ value: 8 }), '403 policy_value_24h_exceeded'],
        [transaction({ value: 7 }), OK],
        [transaction({ value: 1 }), '403 policy_value_24h_exceeded'],
        [transaction({ value: 0 }), OK],
      ],
    ],
    [
      'messages by name beside limits',
      { kinds: ['evm.transaction', 'evm.message'], max_value: '5', recipients: [allowed] },
      [
        [message, OK],
        [transaction(), OK],
        [typedData(1), '403 policy_kind_denied'],
      ],
    ],
  ];
  it.each(cases)('%s', async (_, policy, asked) => {
    const own = await newClientWithRunner();
    expect((await setPolicy(own, own.botId, policy)).status).toBe(200);
    for (const [body, expected] of asked) expect([body, await outcome(own, body)]).toEqual([body, expected]);
  });

  it('a rejected request writes no event and no reservation', async () => {
    const own = await newClientWithRunner();
    await setPolicy(own, own.botId, { max_value: '5', max_value_24h: '100' });
    await sign(own, transaction({ value: 6 }));
    const events = 'select id from private.every_key_event where bot_id = $1 and event = $2';
    const reserved = 'select value::text from public.value_reservations where bot_id = $1';
    expect(await operatorSql(events, [own.botId, 'key_released'])).toEqual([]);
    expect(await operatorSql(reserved, [own.botId])).toEqual([]);
    await sign(own, transaction());
    expect(await operatorSql(events, [own.botId, 'key_released'])).toHaveLength(1);
    expect(await operatorSql(reserved, [own.botId])).toEqual([{ value: '5' }]);
  });

  it('a day later the value is available again', async () => {
    const own = await newClientWithRunner();
    await setPolicy(own, own.botId, { max_value_24h: '5' });
    expect(await outcome(own, transaction())).toBe(OK);
    expect(await outcome(own, transaction())).toBe('403 policy_value_24h_exceeded');
    await operatorSql(
      `update public.value_reservations set created_at = now() - interval '24 hours 1 second' where bot_id = $1`,
      [own.botId],
    );
    expect(await outcome(own, transaction())).toBe(OK);
  });

  it('a limit applies to one bot: another bot of the client is not limited by it', async () => {
    const [own, free] = [await newClientWithRunner(), await newClientWithRunner()];
    await setPolicy(own, own.botId, { max_value: '0' });
    expect(await outcome(own, transaction())).toBe('403 policy_value_exceeded');
    expect(await outcome(free, transaction())).toBe(OK);
  });
});

describe('a 24-hour limit and many requests at once', () => {
  it('let out no more together than the limit', async () => {
    const own = await newClientWithRunner();
    await setPolicy(own, own.botId, { max_value_24h: '30' });
    const outcomes = await Promise.all(
      Array.from({ length: 40 }, (_, nonce) => outcome(own, transaction({ nonce }))),
    );
    expect(outcomes.filter((each) => each === OK)).toHaveLength(6);
    expect(new Set(outcomes)).toEqual(new Set([OK, '403 policy_value_24h_exceeded']));
  });
});

describe('Solana', () => {
  const key = () => newSolanaKey();
  const [payee, stranger_, program] = [newAddress(), newAddress(), newAddress()];
  const ask = (
    bot: ClientWithRunner,
    ...parameters: [Parameters<typeof compiled>[1], Parameters<typeof compiled>[2]?]
  ) =>
    outcome(bot, {
      type: 'solana.transaction',
      message: messageOf(compiled(bot.key.address, ...parameters)),
    });
  const call_ = (bot: ClientWithRunner) => ({
    programAddress: program,
    accounts: [signerAccount(bot.key.address)],
  });

  it('recipients are programs and payees; an address from a lookup table is never allowed', async () => {
    const own = await newClientWithRunner({ key: key() });
    const from = own.key.address;
    await setPolicy(own, own.botId, { recipients: [SYSTEM, payee, program] });
    expect(await ask(own, [transfer(from, payee, 5)])).toBe(OK);
    expect(await ask(own, [transfer(from, payee, 5), call_(own)])).toBe(OK);
    expect(await ask(own, [transfer(from, stranger_, 5)])).toBe('403 policy_recipient_denied');
    expect(await ask(own, [{ programAddress: newAddress() }])).toBe('403 policy_recipient_denied');
    expect(await ask(own, [transfer(from, payee, 5)], { lookedUp: [payee] })).toBe(
      '403 policy_recipient_denied',
    );
    expect(await ask(own, [system(packed([4, 1], new Uint8Array(32)), signerAccount(from))])).toBe(
      '403 policy_recipient_denied',
    );
    expect(await ask(own, [])).toBe('403 policy_recipient_denied');
  });

  it('values are the lamports of all transfers; a program that could move more must be in the list', async () => {
    const own = await newClientWithRunner({ key: key() });
    const from = own.key.address;
    await setPolicy(own, own.botId, { max_value: '10' });
    expect(await ask(own, [transfer(from, payee, 5), transfer(from, payee, 5)])).toBe(OK);
    expect(await ask(own, [transfer(from, payee, 5), transfer(from, payee, 6)])).toBe(
      '403 policy_value_exceeded',
    );
    expect(await ask(own, [transfer(from, payee, 2n ** 64n - 1n), transfer(from, payee, 2n)])).toBe(
      '403 policy_value_exceeded',
    );
    expect(await ask(own, [call_(own)])).toBe('403 policy_value_exceeded');
    await setPolicy(own, own.botId, { max_value_24h: '10' });
    expect(await ask(own, [call_(own)])).toBe('403 policy_value_24h_exceeded');
    await setPolicy(own, own.botId, { max_value: '10', recipients: [SYSTEM, payee, program] });
    expect(await ask(own, [call_(own), transfer(from, payee, 5)])).toBe(OK);
    expect(await ask(own, [call_(own), transfer(from, payee, 11)])).toBe('403 policy_value_exceeded');
  });
});
