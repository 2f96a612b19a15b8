/** Every kind of signature through the API equals, byte for byte, that of the usual libraries with the same key. */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { hashMessage, hashTypedData, type TransactionSerializable } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { describe, expect, it } from 'vitest';
import { call } from '../support/api.ts';
import { asRpc, TRANSACTIONS } from '../support/arbitraries.ts';
import { addWallet, create, rotate } from '../support/bots.ts';
import { newAdmin, operatorSql } from '../support/people.ts';
import { newEvmKey, newSolanaKey, type TestKey } from '../support/private-keys.ts';
import { expectProblem } from '../support/problems.ts';
import { newClientWithRunner, newMachineTokenFor, sign } from '../support/runners.ts';
import { compiled, messageOf, newAddress, signedByKit, signerAccount, transfer } from '../support/solana.ts';

const accountOf = (key: TestKey) => privateKeyToAccount(`0x${bytesToHex(key.secret)}`);
const evm = await newClientWithRunner();
const solana = await newClientWithRunner({ key: newSolanaKey() });
const admin = await newAdmin();
const account = accountOf(evm.key);

const transaction = {
  chainId: 1,
  nonce: 0,
  gas: 21_000n,
  to: newEvmKey().address as `0x${string}`,
  value: 5n,
  maxFeePerGas: 9n,
};
const evmTransaction = (change: object = {}) => ({
  type: 'evm.transaction',
  transaction: {
    chainId: 1,
    nonce: 0,
    gas: 21_000,
    to: transaction.to,
    value: 5,
    maxFeePerGas: 9,
    ...change,
  },
});
const message = (text = 'hello') => ({ type: 'evm.message', message: text });
const TYPED = {
  domain: { name: 'Notes', chainId: 1 },
  types: {
    Note: [
      { name: 'text', type: 'string' },
      { name: 'count', type: 'uint256' },
    ],
  },
  primaryType: 'Note',
  message: { text: 'hello', count: 2n ** 200n },
} as const;
const typedData = { ...TYPED, message: { ...TYPED.message, count: String(TYPED.message.count) } };

describe('POST /bots/{id}/sign', () => {
  it('evm.transaction, of every type -> as from viem', async () => {
    for (const arbitrary of TRANSACTIONS) {
      for (const random of fc.sample(arbitrary, 2) as TransactionSerializable[]) {
        const { json } = await sign(evm, { type: 'evm.transaction', transaction: asRpc(random) });
        expect(json).toEqual({
          signature: expect.stringMatching(/^0x[0-9a-f]{128}1[bc]$/),
          signed_transaction: await account.signTransaction(random),
          address: evm.key.address,
          key_id: expect.any(String),
        });
      }
    }
  });

  it('evm.typed_data -> as from viem', async () => {
    const { json } = await sign(evm, { type: 'evm.typed_data', typed_data: typedData });
    const signature = await account.signTypedData(TYPED);
    expect(json).toEqual({ signature, address: evm.key.address, key_id: expect.any(String) });
  });

  it.each<[string, string | { raw: `0x${string}` }]>([
    ['a text', 'héllo 👋'],
    ['raw bytes', { raw: '0x00ff' }],
    ['nothing', ''],
  ])('evm.message of %s -> as from viem', async (_, text) => {
    const { json } = await sign(evm, { type: 'evm.message', message: text });
    const signature = await account.signMessage({ message: text });
    expect(json).toEqual({ signature, address: evm.key.address, key_id: expect.any(String) });
  });

  it.each(['legacy', 0, 1] as const)('solana.transaction, version %s -> as from Kit', async (version) => {
    const made = compiled(solana.key.address, [transfer(solana.key.address, newAddress(), 5)], { version });
    const { json } = await sign(solana, { type: 'solana.transaction', message: messageOf(made) });
    expect(json).toEqual({
      ...(await signedByKit(made, solana.key)),
      address: solana.key.address,
      key_id: expect.any(String),
    });
  });

  it('solana.transaction that another account pays and signs too -> our signature alone', async () => {
    const payer = newSolanaKey();
    const made = compiled(payer.address, [transfer(solana.key.address, newAddress(), 5)]);
    const { json } = await sign(solana, { type: 'solana.transaction', message: messageOf(made) });
    expect(json.signature).toBe((await signedByKit(made, solana.key)).signature);
    expect(json).not.toHaveProperty('signed_transaction');
  });

  it('forty concurrent requests -> each gets its own signature', async () => {
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, i) => sign(evm, message(`number ${i}`))),
    );
    const expected = Array.from({ length: 40 }, (_, i) => account.signMessage({ message: `number ${i}` }));
    expect(answers.map(({ json }) => json.signature)).toEqual(await Promise.all(expected));
  });
});

describe('the event of a signature', () => {
  const events = (botId: string) =>
    operatorSql(
      `select event, actor, address, key_id, request_id, detail from private.every_key_event
       where bot_id = $1 and event = 'key_released' order by id`,
      [botId],
    );
  it('has a digest of what was signed, the key and the token, and never the content', async () => {
    const own = await newClientWithRunner();
    const { json } = await sign(own, message('a text that is nobody’s business'), {
      headers: { 'x-request-id': 'request-one' },
    });
    await sign(own, { type: 'evm.typed_data', typed_data: typedData });
    const common = {
      event: 'key_released',
      actor: 'runner',
      address: own.key.address,
      key_id: json.key_id,
      request_id: 'request-one',
    };
    const rows = await events(own.botId);
    expect(rows).toEqual([
      {
        ...common,
        detail: {
          kind: 'evm.message',
          digest: hashMessage('a text that is nobody’s business').slice(2),
          token_id: own.tokenId,
        },
      },
      {
        ...common,
        request_id: expect.any(String),
        detail: { kind: 'evm.typed_data', digest: hashTypedData(TYPED).slice(2), token_id: own.tokenId },
      },
    ]);
  });

  it('of a Solana message -> its SHA-256', async () => {
    const own = await newClientWithRunner({ key: newSolanaKey() });
    const made = compiled(own.key.address, [transfer(own.key.address, newAddress(), 5)]);
    await sign(own, { type: 'solana.transaction', message: messageOf(made) });
    const [row] = await events(own.botId);
    expect(row?.detail).toMatchObject({ digest: bytesToHex(sha256(Uint8Array.from(made.messageBytes))) });
  });
});

describe('a bot with several wallets', () => {
  it('signs with the named wallet, by id or by address in any case', async () => {
    const own = await newClientWithRunner();
    const second = newEvmKey();
    const wallet = (await addWallet(admin, own.botId, { private_key: second.privateKey })).json;
    expectProblem(await sign(own, message()), 409, 'wallet_ambiguous');
    for (const [name, key] of [
      [wallet.id, second],
      [wallet.id.toUpperCase(), second],
      [second.address, second],
      [second.address.toLowerCase(), second],
      [own.key.address, own.key],
    ] as const) {
      const { json } = await sign(own, { ...message(), wallet: name });
      expect(json).toMatchObject({
        address: key.address,
        signature: await accountOf(key).signMessage({ message: 'hello' }),
      });
    }
    expectProblem(
      await sign(own, { ...evmTransaction({ from: own.key.address }), wallet: second.address }),
      422,
      'wallet_not_signer',
    );
    expect(
      (await sign(own, { ...evmTransaction({ from: second.address }), wallet: second.address })).status,
    ).toBe(200);
  });

  it.each<[string, () => Promise<string> | string, number, string]>([
    ['another client’s', async () => (await newClientWithRunner()).key.address, 404, 'resource_not_found'],
    ['nobody’s', () => newEvmKey().address, 404, 'resource_not_found'],
    ['an absent id', () => crypto.randomUUID(), 404, 'resource_not_found'],
    [
      'a wrong checksum',
      () =>
        evm.key.address
          .replace(/[a-f]/, (digit) => digit.toUpperCase())
          .replace(/[A-F](?=[^A-F]*$)/, (digit) => digit.toLowerCase()),
      422,
      'address_checksum_invalid',
    ],
    ['no address', () => 'mine', 422, 'address_malformed'],
  ])('named by %s -> rejected', async (_, name, status, code) => {
    expectProblem(await sign(evm, { ...message(), wallet: await name() }), status, code as never);
  });
});

describe('the required signer', () => {
  it('evm: from, if it is given, is the wallet', async () => {
    expect((await sign(evm, evmTransaction({ from: evm.key.address.toLowerCase() }))).status).toBe(200);
    expectProblem(await sign(evm, evmTransaction({ from: newEvmKey().address })), 422, 'wallet_not_signer');
  });

  it('solana: the wallet is among the signers of the message', async () => {
    const payer = newAddress();
    const ofOthers = compiled(payer, [transfer(payer, solana.key.address, 5)]);
    expectProblem(
      await sign(solana, { type: 'solana.transaction', message: messageOf(ofOthers) }),
      422,
      'wallet_not_signer',
    );
    const withUs = compiled(payer, [
      { programAddress: newAddress(), accounts: [signerAccount(solana.key.address)] },
    ]);
    expect((await sign(solana, { type: 'solana.transaction', message: messageOf(withUs) })).status).toBe(200);
  });

  it('the chain family of the request is that of the wallet', async () => {
    for (const body of [message(), evmTransaction(), { type: 'evm.typed_data', typed_data: typedData }]) {
      expectProblem(await sign(solana, body), 422, 'chain_mismatch');
    }
    const made = compiled(newAddress(), [transfer(newAddress(), newAddress(), 5)]);
    expectProblem(
      await sign(evm, { type: 'solana.transaction', message: messageOf(made) }),
      422,
      'chain_mismatch',
    );
  });
});

describe('after a change of keys', () => {
  it('a rotation -> the new key signs, and the old address does not name a wallet any more', async () => {
    const own = await newClientWithRunner();
    const before = (await sign(own, message())).json;
    const next = newEvmKey();
    expect((await rotate(own, { private_key: next.privateKey })).status).toBe(200);
    const { json } = await sign(own, message());
    expect(json.address).toBe(next.address);
    expect(json.signature).toBe(await accountOf(next).signMessage({ message: 'hello' }));
    expect(json.key_id).not.toBe(before.key_id);
    expectProblem(await sign(own, { ...message(), wallet: own.key.address }), 404, 'resource_not_found');
    expectProblem(await sign(own, evmTransaction({ from: own.key.address })), 422, 'wallet_not_signer');
  });

  it('a revocation -> no signature, and tokens end; a new key, a start and a new token -> signatures again', async () => {
    const own = await newClientWithRunner();
    const revoked = await call(`DELETE /clients/${own.clientId}/revoke-key`, { token: own.token });
    expect(revoked.json).toMatchObject({ bots_stopped: 1, tokens_ended: [own.tokenId] });
    expectProblem(await sign(own, message()), 401, 'token_invalid');
    const next = newEvmKey();
    const setUp = await call(`POST /clients/${own.clientId}/setup-bot`, {
      token: own.token,
      body: { bot_type: 'evm-grid', private_key: next.privateKey },
    });
    expect(setUp.status).toBe(201);
    // Also when the old bot runs with the new key.
    expect((await call(`POST /bots/${own.botId}/start`, { token: own.token })).status).toBe(200);
    expectProblem(await sign(own, message()), 401, 'token_invalid');
    const { machineToken } = await newMachineTokenFor(own, setUp.json.id);
    expect((await sign({ botId: setUp.json.id, machineToken }, message())).json.address).toBe(next.address);
  });

  it('a stop -> 409; a start -> signatures again; a bot that was never started -> 409', async () => {
    const own = await newClientWithRunner();
    await call(`POST /bots/${own.botId}/stop`, { token: own.token });
    expectProblem(await sign(own, message()), 409, 'bot_not_running');
    await call(`POST /bots/${own.botId}/start`, { token: own.token });
    expect((await sign(own, message())).status).toBe(200);
    const bare = (await create(admin, own)).json.id;
    const { machineToken } = await newMachineTokenFor(own, bare);
    expectProblem(await sign({ botId: bare, machineToken }, message()), 409, 'bot_not_running');
  });
});
