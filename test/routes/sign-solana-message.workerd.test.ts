/** `solana.message` through the API: signatures, policies, the event, and errors that name the cause. */
import { ed25519 } from '@noble/curves/ed25519.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { base58, base64 } from '@scure/base';
import { address, compileOffchainMessageEnvelope } from '@solana/kit';
import { describe, expect, it } from 'vitest';
import { operatorSql } from '../support/people.ts';
import { newSolanaKey } from '../support/private-keys.ts';
import { expectProblem } from '../support/problems.ts';
import { newClientWithRunner, setPolicy, sign } from '../support/runners.ts';
import { compiled, messageOf, newAddress, transfer } from '../support/solana.ts';

const key = newSolanaKey();
const own = await newClientWithRunner({ key });
const utf8 = (text: string) => new TextEncoder().encode(text);
const message = (content: unknown) => ({ type: 'solana.message', message: content });
const isSigned = (signature: string, content: Uint8Array) =>
  ed25519.verify(base58.decode(signature), content, base58.decode(key.address));
const offchain = (...signers: string[]) =>
  Uint8Array.from(
    compileOffchainMessageEnvelope({
      version: 1,
      requiredSignatories: signers.map((each) => ({ address: address(each) })),
      content: 'héllo',
    }).content,
  );

describe('POST /bots/{id}/sign', () => {
  it.each<[string, unknown, Uint8Array]>([
    ['a text', 'hello 👋', utf8('hello 👋')],
    ['bytes', { base64: base64.encode(Uint8Array.of(0, 255, 7)) }, Uint8Array.of(0, 255, 7)],
    ['an off-chain message', { base64: base64.encode(offchain(key.address)) }, offchain(key.address)],
  ])('solana.message, %s -> its signature', async (_, content, signed) => {
    const { status, json } = await sign(own, message(content));
    expect([status, json]).toEqual([
      200,
      { signature: expect.any(String), address: key.address, key_id: expect.any(String) },
    ]);
    expect(isSigned(json.signature, signed)).toBe(true);
  });

  it('an off-chain message of other signers -> 422 wallet_not_signer', async () => {
    const content = { base64: base64.encode(offchain(newAddress(), newAddress())) };
    expectProblem(await sign(own, message(content)), 422, 'wallet_not_signer');
  });

  it('an EVM wallet -> 422 chain_mismatch', async () => {
    expectProblem(await sign(await newClientWithRunner(), message('hello')), 422, 'chain_mismatch');
  });

  it('the event has the kind and the SHA-256 of the bytes, and not the bytes', async () => {
    await sign(own, message('only for the event'));
    const [row] = await operatorSql(
      `select detail from private.every_key_event where bot_id = $1 and event = 'key_released' order by id desc limit 1`,
      [own.botId],
    );
    expect(row?.detail).toMatchObject({
      kind: 'solana.message',
      digest: bytesToHex(sha256(utf8('only for the event'))),
    });
  });

  it.each<[string, unknown, string, string]>([
    [
      'a transaction',
      { base64: messageOf(compiled(key.address, [transfer(key.address, newAddress(), 5)])) },
      'message_is_transaction',
      '/message/base64',
    ],
    ['a byte of 0x80 first', { base64: 'gg==' }, 'message_is_transaction', '/message/base64'],
    ['a letter of another alphabet first', 'Привет', 'message_is_transaction', '/message'],
    ['bytes in hex', { base64: '0x00' }, 'message_malformed', '/message/base64'],
    ['nothing', '', 'message_malformed', '/message'],
    ['bytes as numbers', [1, 2, 3], 'validation_failed', '/message'],
    ['bytes in hex, as for EVM', { raw: '0x00' }, 'validation_failed', '/message'],
  ])('solana.message, %s -> 422 that names the member', async (_, content, code, pointer) => {
    const answer = await sign(own, message(content));
    expectProblem(answer, 422, code as never);
    expect(answer.json.errors).toContainEqual(expect.objectContaining({ pointer }));
  });

  it.each<[string, unknown]>([
    ['a list of numbers', [1, 2, 3]],
    ['a Buffer in JSON', { type: 'Buffer', data: [1, 2, 3] }],
  ])('solana.transaction, %s -> 422 that asks for base64', async (_, content) => {
    const answer = await sign(own, { type: 'solana.transaction', message: content });
    expectProblem(answer, 422, 'validation_failed');
    expect(answer.json.errors).toContainEqual(
      expect.objectContaining({ pointer: '/message', detail: expect.stringContaining('base64') }),
    );
  });
});

describe('PUT /bots/{id}/policy', () => {
  const limits = [{ recipients: [newAddress()] }, { max_value: '5' }, { max_value_24h: '5' }];
  const outcome = async (policy: object) => {
    const bot = await newClientWithRunner({ key: newSolanaKey() });
    expect((await setPolicy(bot, bot.botId, policy)).status).toBe(200);
    const { status, json } = await sign(bot, message('hello'));
    return status === 200 ? 'signed' : `${status} ${json.code}`;
  };

  it('without a limit, or with its kind alone -> a message is signed', async () => {
    expect(await outcome({})).toBe('signed');
    expect(await outcome({ kinds: ['solana.message'] })).toBe('signed');
  });

  it.each(limits)('with %j -> 403 policy_kind_denied, also if kinds lists it', async (limit) => {
    expect(await outcome(limit)).toBe('403 policy_kind_denied');
    expect(await outcome({ ...limit, kinds: ['solana.message', 'solana.transaction'] })).toBe(
      '403 policy_kind_denied',
    );
  });

  it('with other kinds, or EVM chains -> 403', async () => {
    expect(await outcome({ kinds: ['solana.transaction'] })).toBe('403 policy_kind_denied');
    expect(await outcome({ chain_ids: ['1'] })).toBe('403 policy_chain_denied');
  });
});
