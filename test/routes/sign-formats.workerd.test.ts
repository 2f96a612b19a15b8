/** What a bot may send to be signed: its size, kinds that no policy allows yet, and errors that name the field. */
import { hashDomain, keccak256, toHex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { describe, expect, it } from 'vitest';
import { MAX_BODY_BYTES, MAX_SIGNING_BODY_BYTES } from '../../src/middleware/body.ts';
import { operatorSql } from '../support/people.ts';
import { newEvmKey } from '../support/private-keys.ts';
import { expectProblem } from '../support/problems.ts';
import { newClientWithRunner, setPolicy, sign } from '../support/runners.ts';

const own = await newClientWithRunner();
const account = privateKeyToAccount(own.key.privateKey as `0x${string}`);

const CREATION = {
  type: 'eip1559',
  chainId: 1,
  nonce: 0,
  maxFeePerGas: 9n,
  maxPriorityFeePerGas: 1n,
} as const;
const creation = (data: string) => ({
  type: 'evm.transaction',
  transaction: { ...CREATION, maxFeePerGas: '9', maxPriorityFeePerGas: '1', gas: String(2n ** 24n), data },
});
const MAIL = {
  domain: { name: 'Notes', chainId: 1 },
  types: {
    EIP712Domain: [
      { name: 'name', type: 'string' },
      { name: 'chainId', type: 'uint256' },
    ],
    Note: [{ name: 'text', type: 'string' }],
  },
  primaryType: 'Note',
  message: { text: 'hello' },
};

describe('the size of POST /bots/{id}/sign', () => {
  it('the largest initcode (EIP-3860) and calldata of 128 KiB -> 200, as from viem', async () => {
    for (const bytes of [49_152, 128 * 1024]) {
      const data = `0x${'5b'.repeat(bytes)}` as const;
      const { status, json } = await sign(own, creation(data));
      expect(status).toBe(200);
      expect(json.signed_transaction).toBe(
        await account.signTransaction({ ...CREATION, gas: 2n ** 24n, data }),
      );
    }
  });

  it('a transaction over 512 KiB -> 413', async () => {
    const body = creation(`0x${'5b'.repeat(MAX_SIGNING_BODY_BYTES / 2)}`);
    expectProblem(await sign(own, body), 413, 'body_too_large');
  });

  it.each<[string, (text: string) => object]>([
    ['evm.message', (message) => ({ type: 'evm.message', message })],
    ['evm.typed_data', (text) => ({ type: 'evm.typed_data', typed_data: { ...MAIL, message: { text } } })],
    ['solana.transaction', (message) => ({ type: 'solana.transaction', message })],
    [
      'evm.authorization',
      (text) => ({ type: 'evm.authorization', authorization: { chainId: 1, address: text, nonce: 0 } }),
    ],
  ])('%s over 64 KiB -> 413', async (_, body) => {
    expectProblem(await sign(own, body('a'.repeat(MAX_BODY_BYTES))), 413, 'body_too_large');
  });

  it('typed data just below 64 KiB -> 200', async () => {
    const message = { text: 'a'.repeat(MAX_BODY_BYTES - 1024) };
    expect((await sign(own, { type: 'evm.typed_data', typed_data: { ...MAIL, message } })).status).toBe(200);
  });
});

describe('kinds that no policy can allow yet', () => {
  const authorization = { chainId: 1, address: newEvmKey().address, nonce: 0 };
  const hashes = {
    domain: MAIL.domain,
    domain_separator: hashDomain({ domain: MAIL.domain, types: MAIL.types } as never),
    struct_hash: keccak256('0x12'),
  };
  const asked: [string, object, string][] = [
    ['evm.authorization', { type: 'evm.authorization', authorization }, 'authorization_not_allowed'],
    [
      'evm.typed_data_hash',
      { type: 'evm.typed_data_hash', typed_data_hash: hashes },
      'typed_data_hash_not_allowed',
    ],
  ];
  const released = () =>
    operatorSql(
      `select count(*)::int from private.every_key_event where bot_id = $1 and event = 'key_released'`,
      [own.botId],
    );

  it.each(asked)('%s -> 403, with and without a policy, and no key is released', async (_, body, code) => {
    const before = await released();
    for (const policy of [{}, { kinds: ['evm.transaction', 'evm.typed_data', 'evm.message'] }]) {
      await setPolicy(own, own.botId, policy);
      expectProblem(await sign(own, body), 403, code as never);
    }
    await setPolicy(own, own.botId, {});
    expect(await released()).toEqual(before);
    // The same bot signs what a policy can judge.
    expect((await sign(own, { type: 'evm.typed_data', typed_data: MAIL })).status).toBe(200);
    expect(await released()).not.toEqual(before);
  });

  it.each(asked)('%s is not a kind of a policy -> 422', async (kind) => {
    expectProblem(await setPolicy(own, own.botId, { kinds: [kind] }), 422, 'validation_failed');
  });

  it.each<[string, object, string]>([
    ['another separator', { domain_separator: keccak256('0x34') }, '/domain_separator'],
    ['another chain', { domain: { ...MAIL.domain, chainId: 2 } }, '/domain_separator'],
    ['no domain', { domain: undefined }, '/domain'],
    ['a struct hash of 31 bytes', { struct_hash: '0x12' }, '/struct_hash'],
    ['no struct hash', { struct_hash: undefined }, '/struct_hash'],
    ['types of the message', { types: { Note: [] } }, '/types'],
    ['a member of the domain that EIP-712 does not define', { domain: { chain: 1 } }, '/domain/chain'],
    ['the message', { message: { text: 'hello' } }, '/message'],
  ])('hashes with %s -> 422 with its pointer', async (_, change, pointer) => {
    const answer = await sign(own, {
      type: 'evm.typed_data_hash',
      typed_data_hash: { ...hashes, ...change },
    });
    expectProblem(answer, 422, 'typed_data_hash_malformed');
    expect(answer.json.errors).toMatchObject([{ pointer: `/typed_data_hash${pointer}` }]);
  });

  it('hashes whose domain is declared in another way -> 403', async () => {
    const types = { EIP712Domain: [{ name: 'chainId', type: 'string' }] };
    const domain = { chainId: '1' };
    const separator = hashDomain({ domain, types } as never);
    const typed_data_hash = { ...hashes, domain, types, domain_separator: separator };
    expectProblem(
      await sign(own, { type: 'evm.typed_data_hash', typed_data_hash }),
      403,
      'typed_data_hash_not_allowed',
    );
  });

  it.each<[string, object, string]>([
    ['no chain id', { chainId: undefined }, '/chainId'],
    ['two chain ids', { chain_id: 1 }, '/chain_id'],
    ['a name in place of an address', { address: 'vitalik.eth' }, '/address'],
    ['a nonce of 2^64 - 1', { nonce: String(2n ** 64n - 1n) }, '/nonce'],
    ['a chain id beyond 256 bits', { chainId: `2${'0'.repeat(77)}` }, '/chainId'],
    ['a signature', { r: '0x1' }, '/r'],
  ])('an authorization with %s -> 422 with its pointer', async (_, change, pointer) => {
    const answer = await sign(own, {
      type: 'evm.authorization',
      authorization: { ...authorization, ...change },
    });
    expectProblem(answer, 422, 'authorization_malformed');
    expect(answer.json.errors).toMatchObject([{ pointer: `/authorization${pointer}` }]);
  });

  it('an authorization in snake case, for every chain -> 403', async () => {
    const { chainId: _, ...rest } = authorization;
    expectProblem(
      await sign(own, { type: 'evm.authorization', authorization: { ...rest, chain_id: '0x0' } }),
      403,
      'authorization_not_allowed',
    );
  });
});

describe('the place of an error', () => {
  it.each<[string, object, string]>([
    ['a value of typed data', { ...MAIL, message: { text: 1 } }, '/typed_data/message/text'],
    [
      'a member named like a private key',
      { ...MAIL, types: { ...MAIL.types, Note: [{ name: own.key.privateKey, type: 'string' }] } },
      '/typed_data/message/(not shown)',
    ],
    [
      'a type',
      { ...MAIL, types: { Note: [{ name: 'text', type: 'text' }] } },
      '/typed_data/types/Note/0/type',
    ],
  ])('%s -> 422 with its pointer', async (_, typed_data, pointer) => {
    const answer = await sign(own, { type: 'evm.typed_data', typed_data });
    expectProblem(answer, 422, 'typed_data_malformed');
    expect(answer.json.errors).toMatchObject([{ pointer }]);
    expect(answer.text).not.toContain(own.key.privateKey.slice(2, 12));
  });

  it('a JSON number beyond 2^53 -> 422 that says what to send', async () => {
    const transaction = { ...creation('0x').transaction, value: 10_000_000_000_000_000 };
    const answer = await sign(own, { type: 'evm.transaction', transaction });
    expectProblem(answer, 422, 'transaction_malformed');
    expect(answer.json.errors).toMatchObject([
      { pointer: '/transaction/value', detail: expect.stringContaining('2^53') },
    ]);
    expect(answer.text).not.toContain(toHex(10n ** 16n).slice(2));
    expect(answer.text).not.toContain('10000000000000000');
  });
});
