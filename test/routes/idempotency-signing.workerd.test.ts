/** A signature request that is sent again: checked again, its value reserved once, and the same signature as the first time. */
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { describe, expect, inject, it } from 'vitest';
import { call, MASTER_KEY, settings } from '../support/api.ts';
import { revoke, rotate } from '../support/bots.ts';
import { operatorSql } from '../support/people.ts';
import { newEvmKey, newSolanaKey } from '../support/private-keys.ts';
import { expectProblem } from '../support/problems.ts';
import {
  type ClientWithRunner,
  newClientWithRunner,
  newMachineTokenFor,
  setPolicy,
  sign,
} from '../support/runners.ts';
import { compiled, messageOf, newAddress, transfer } from '../support/solana.ts';

const recipient = newEvmKey().address;
const newKey = () => `test-${crypto.randomUUID()}`;
const transaction = (value = '60', change: object = {}) => ({
  type: 'evm.transaction',
  transaction: { chainId: 1, nonce: 0, gas: 21_000, to: recipient, value, maxFeePerGas: 9, ...change },
});

async function capped(max_value_24h = '100') {
  const own = await newClientWithRunner();
  await setPolicy(own, own.botId, { max_value_24h });
  return own;
}

async function reserved({ botId }: { botId: string }): Promise<string[]> {
  const rows = await operatorSql<{ value: string }>(
    'select value::text from public.value_reservations where bot_id = $1 order by id',
    [botId],
  );
  return rows.map(({ value }) => value);
}

async function events({ botId }: { botId: string }): Promise<unknown[]> {
  const rows = await operatorSql<{ replayed: unknown }>(
    `select detail -> 'replayed' as replayed from private.every_key_event where bot_id = $1 and event = 'key_released' order by id`,
    [botId],
  );
  return rows.map(({ replayed }) => replayed);
}

const outcome = async (own: ClientWithRunner, body: unknown, idempotencyKey: string) => {
  const { status, json } = await sign(own, body, { idempotencyKey });
  return status === 200 ? 'signed' : `${status} ${json.code}`;
};

describe('the value of a signature', () => {
  it('is reserved once, however often the request is sent with its key', async () => {
    const own = await capped();
    const key = newKey();
    const signatures = new Set<string>();
    for (let i = 0; i < 4; i++) {
      const { status, json, headers } = await sign(own, transaction(), { idempotencyKey: key });
      expect([status, headers.get('idempotency-replayed')]).toEqual([200, i === 0 ? null : 'true']);
      signatures.add(json.signed_transaction);
    }
    expect(signatures.size).toBe(1);
    expect(await reserved(own)).toEqual(['60']);
    expect(await events(own)).toEqual([null, true, true, true]);
  });

  it('is reserved once by ten concurrent requests, beside others that take the rest of the limit', async () => {
    const own = await capped();
    const [key, other] = [newKey(), newKey()];
    const outcomes = await Promise.all([
      ...Array.from({ length: 10 }, () => outcome(own, transaction(), key)),
      ...Array.from({ length: 5 }, () => outcome(own, transaction('40'), other)),
      ...Array.from({ length: 3 }, () => outcome(own, transaction('41'), newKey())),
    ]);
    const sum = (await reserved(own)).reduce((total, value) => total + Number(value), 0);
    expect(sum).toBeLessThanOrEqual(100);
    // Whichever request is first, requests with one key have one outcome.
    expect(new Set(outcomes.slice(0, 10)).size).toBe(1);
    expect(new Set(outcomes.slice(10, 15)).size).toBe(1);
    expect(outcomes).toContain('signed');
  });

  it('is reserved once if the key could not be opened at first', async () => {
    const own = await capped();
    const key = newKey();
    const ENCRYPTION_KEY = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32))));
    const lost = await sign(own, transaction(), {
      idempotencyKey: key,
      env: { ...settings(), ENCRYPTION_KEY },
    });
    expectProblem(lost, 503, 'key_decryption_failed');
    const found = await sign(own, transaction(), {
      idempotencyKey: key,
      env: { ...settings(), ENCRYPTION_KEY: `${ENCRYPTION_KEY},${MASTER_KEY}` },
    });
    expect([found.status, found.headers.get('idempotency-replayed')]).toEqual([200, 'true']);
    const again = await sign(own, transaction(), {
      idempotencyKey: key,
      env: { ...settings(), ENCRYPTION_KEY },
    });
    expectProblem(again, 503, 'key_decryption_failed');
    expect(again.headers.get('idempotency-replayed')).toBe(null);
    expect(await reserved(own)).toEqual(['60']);
  });

  it('is reserved twice for two keys', async () => {
    const own = await capped('120');
    expect([
      await outcome(own, transaction(), newKey()),
      await outcome(own, transaction(), newKey()),
    ]).toEqual(['signed', 'signed']);
    expect(await reserved(own)).toEqual(['60', '60']);
  });
});

describe('another transaction with the idempotency key of a signed one', () => {
  it.each([
    ['a larger value', transaction('61')],
    ['another nonce', transaction('60', { nonce: 1 })],
    ['the same value in another notation', transaction('0x3c')],
    ['a wallet in the request', { ...transaction(), wallet: recipient }],
  ])('%s -> 422, and reserves nothing', async (_, body) => {
    const own = await capped();
    const key = newKey();
    expect(await outcome(own, transaction(), key)).toBe('signed');
    expectProblem(await sign(own, body, { idempotencyKey: key }), 422, 'idempotency_key_reused');
    expect(await reserved(own)).toEqual(['60']);
    expect(await events(own)).toEqual([null]);
  });

  it('claimed directly at the REST API with the hashes of its request -> 422, and no signature', async () => {
    const own = await capped();
    const key = newKey();
    const hashesOf = (text: string, body: object) => ({
      key: bytesToHex(sha256(utf8ToBytes(`trading-keys idempotency key\n${text}`))),
      fingerprint: bytesToHex(
        hmac(
          sha256,
          utf8ToBytes(text),
          utf8ToBytes(`POST\n/bots/${own.botId}/sign\n${JSON.stringify(body)}`),
        ),
      ),
    });
    const claim = { kind: 'evm.transaction', chain_id: '1', recipients: [recipient], value: '1' };
    const response = await fetch(`${inject('supabaseUrl')}/rest/v1/rpc/check_out_key`, {
      method: 'POST',
      headers: { apikey: inject('publishableKey'), 'content-type': 'application/json' },
      body: JSON.stringify({
        edge_token: inject('edgeToken'),
        token: own.machineToken,
        bot_id: own.botId,
        signing: { ...claim, digest: 'ab'.repeat(32) },
        once: hashesOf(key, transaction('90')),
      }),
    });
    expect(response.status).toBe(200);
    expectProblem(await sign(own, transaction('90'), { idempotencyKey: key }), 422, 'idempotency_key_reused');
    expect(await reserved(own)).toEqual(['1']);
    // The hashes are correct, so the claim itself was rejected.
    const honest = newKey();
    await sign(own, transaction('9'), { idempotencyKey: honest });
    const kept = await operatorSql(
      `select encode(key, 'hex') as key, encode(fingerprint, 'hex') as fingerprint from private.kept_answers
        where caller = $1 order by expires_at desc limit 1`,
      [`token ${own.tokenId}`],
    );
    expect(kept).toEqual([hashesOf(honest, transaction('9'))]);
  });
});

describe('a signature is not returned again', () => {
  const message = { type: 'evm.message', message: 'hello' };

  it.each<[string, (own: ClientWithRunner) => Promise<{ status: number }>, number, string]>([
    ['after its bot was stopped', stop, 409, 'bot_not_running'],
    ['after its key was revoked, and its token with it', (own) => revoke(own), 401, 'token_invalid'],
    ['after its token was revoked', endToken, 401, 'token_invalid'],
    [
      'after its key was rotated',
      (own) => rotate(own, { private_key: newEvmKey().privateKey }),
      409,
      'wallet_key_changed',
    ],
    [
      'once a policy forbids it',
      (own) => setPolicy(own, own.botId, { kinds: [] }),
      403,
      'policy_kind_denied',
    ],
  ])('%s', async (_, change, status, code) => {
    const own = await newClientWithRunner();
    const key = newKey();
    const first = await sign(own, message, { idempotencyKey: key });
    expect((await change(own)).status).toBe(200);
    const again = await sign(own, message, { idempotencyKey: key });
    expectProblem(again, status, code as never);
    expect(again.headers.get('idempotency-replayed')).toBe(null);
    expect(again.text).not.toContain(first.json.signature.slice(2, 20));
    expect(await events(own)).toEqual([null]);
  });

  it('but a new idempotency key gives a signature by the current key of the wallet', async () => {
    const own = await newClientWithRunner();
    const first = await sign(own, message, { idempotencyKey: newKey() });
    const key = newEvmKey();
    await rotate(own, { private_key: key.privateKey });
    const second = await sign(own, message, { idempotencyKey: newKey() });
    expect([second.status, second.json.address]).toEqual([200, key.address]);
    expect(second.json.signature).not.toBe(first.json.signature);
  });
});

it('a Solana signature is returned again unchanged', async () => {
  const key = newSolanaKey();
  const own = await newClientWithRunner({ key });
  const message = messageOf(compiled(key.address, [transfer(key.address, newAddress(), 5)]));
  const idempotencyKey = newKey();
  const first = await sign(own, { type: 'solana.transaction', message }, { idempotencyKey });
  const second = await sign(own, { type: 'solana.transaction', message }, { idempotencyKey });
  expect([first.status, second.text]).toEqual([200, first.text]);
});

it('the stored response contains no signature and no envelope', async () => {
  const own = await newClientWithRunner();
  const { json } = await sign(own, { type: 'evm.message', message: 'hello' }, { idempotencyKey: newKey() });
  const rows = await operatorSql<{ answer: object }>(
    'select answer from private.kept_answers where caller = $1',
    [`token ${own.tokenId}`],
  );
  expect(rows.map(({ answer }) => Object.keys(answer).sort())).toEqual([
    ['claim', 'key_id', 'reserved', 'wallet_id'],
  ]);
  expect(JSON.stringify(rows)).not.toContain(json.signature.slice(2, 20));
});

describe('a machine token', () => {
  it('is shown once: the repeated response describes the token without the token itself', async () => {
    const own = await newClientWithRunner();
    const ask = (idempotencyKey: string) =>
      call(`POST /bots/${own.botId}/tokens`, {
        token: own.token,
        body: { name: 'A runner' },
        idempotencyKey,
      });
    const key = newKey();
    const first = await ask(key);
    const { token, ...rest } = first.json;
    const second = await ask(key);
    expect([second.status, second.json]).toEqual([201, rest]);
    const machine = { botId: own.botId, machineToken: token };
    expect((await sign(machine, { type: 'evm.message', message: 'x' })).status).toBe(200);
    // The token that the second request generated is not stored.
    expect((await call(`GET /bots/${own.botId}/tokens`, { token: own.token })).json.items).toHaveLength(2);
    expect((await call(`DELETE /tokens/${second.json.id}`, { token: own.token })).status).toBe(200);
    expectProblem(await sign(machine, { type: 'evm.message', message: 'x' }), 401, 'token_invalid');
  });

  it('has its own idempotency keys: another token of the same bot gets a new signature', async () => {
    const own = await capped();
    const other = { ...own, ...(await newMachineTokenFor(own, own.botId)) };
    const key = newKey();
    expect(await outcome(own, transaction(), key)).toBe('signed');
    expect(await outcome(other, transaction(), key)).toBe('403 policy_value_24h_exceeded');
  });
});

const stop = (own: ClientWithRunner) => call(`POST /bots/${own.botId}/stop`, { token: own.token });
function endToken(own: ClientWithRunner) {
  return call(`DELETE /tokens/${own.tokenId}`, { token: own.token });
}
