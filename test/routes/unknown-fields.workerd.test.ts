/** A private key in a wrong field is rejected like any other value there, and is never returned. */
import { describe, expect, it, vi } from 'vitest';
import { type Answer, call } from '../support/api.ts';
import { newClientWithBot, setUp } from '../support/bots.ts';
import { newAdmin } from '../support/people.ts';
import { newEvmKey, newSolanaKey, repeats, type TestKey, textsOf } from '../support/private-keys.ts';
import { expectProblem } from '../support/problems.ts';
import { bodyOf, lineTo } from '../support/requests.ts';

const [admin, client] = await Promise.all([newAdmin(), newClientWithBot()]);

/** The operations that set up a client, or take a private key. */
const LINES = [
  'POST /clients',
  'POST /bots/create',
  'POST /bots/{id}/wallets',
  'POST /clients/{id}/setup-bot',
  'PUT /clients/{id}/rotate-key',
];

/** Every response with its headers, and everything that was logged in the meantime. */
async function everythingSaid(ask: () => Promise<Answer>): Promise<{ answer: Answer; said: string }> {
  const spies = (['log', 'info', 'warn', 'error', 'debug'] as const).map((name) => vi.spyOn(console, name));
  const answer = await ask();
  const logged = spies.flatMap((spy) => spy.mock.calls);
  vi.restoreAllMocks();
  return { answer, said: JSON.stringify([answer.text, [...answer.headers], logged]) };
}

const keys: [string, TestKey][] = [
  ['an EVM key', newEvmKey()],
  ['a Solana key', newSolanaKey()],
];

describe.each(LINES)('%s', (line) => {
  const send = (body: object) =>
    call(lineTo(line, client), { token: admin.token, body: { ...bodyOf(line, client), ...body } });

  describe.each(keys)('with %s', (_, key) => {
    const places: [string, object][] = [
      ['as the name of a field', { [key.privateKey]: 1 }],
      ['as the name of a field in an unknown field', { extra: { [key.privateKey]: 1 } }],
      ['in an unknown field', { privateKey: key.privateKey }],
      ['as name and value', { [key.privateKey]: key.privateKey }],
      [
        'in pieces as names',
        Object.fromEntries((key.privateKey.match(/.{1,12}/g) ?? []).map((piece) => [piece, 1])),
      ],
      ['in a list of lists', { private_key: [[key.privateKey]] }],
      ['in an object', { private_key: { [key.privateKey]: key.privateKey } }],
      ['as the address', { address: key.privateKey, private_key: key.privateKey, chain: key.privateKey }],
      ['as the chain', { chain: key.privateKey }],
      [
        'as e-mail, name and type',
        { email: key.privateKey, name: [key.privateKey], bot_type: [key.privateKey] },
      ],
      ['as bytes out of range', { private_key: [...key.secret].map((byte) => byte + 1000) }],
    ];

    it.each(places)(`${line} with it %s -> 4xx, and returns no part of it`, async (__, body) => {
      const { answer, said } = await everythingSaid(() => send(body));
      expect([400, 422]).toContain(answer.status);
      for (const text of textsOf(key)) expect(repeats(said, text)).toBe(false);
    });

    it(`${line} with it in the path, the query or another header -> 4xx, and returns no part of it`, async () => {
      const { token } = admin;
      for (const ask of [
        () => call(`GET /clients/${key.privateKey}`, { token }),
        () => call(`GET /clients?${key.privateKey}=1`, { token }),
        () => call(`GET /clients?cursor=${key.privateKey}&limit=${key.privateKey}`, { token }),
        () => call(`GET /${key.privateKey}`, { token }),
        () => call('GET /clients', { token: key.privateKey }),
        () => call('POST /clients', { token, body: '{}', headers: { 'content-type': key.privateKey } }),
        () => call('POST /clients', { token, body: `{"private_key": ${key.privateKey}` }),
      ]) {
        const { answer, said } = await everythingSaid(ask);
        expect(answer.status).toBeGreaterThanOrEqual(400);
        expect(answer.status).toBeLessThan(500);
        expect(repeats(said, key.privateKey)).toBe(false);
      }
    });
  });

  it.each([
    'extra',
    'constructor',
    'toString',
    '__proto__',
    'Name',
    'id',
    'status',
    'encrypted_key',
    'key_id',
  ])(`${line} with the field %s -> 422`, async (field) => {
    const answer = await send(JSON.parse(`{"${field}": 1}`));
    expectProblem(answer, 422, 'validation_failed');
    expect(answer.json.errors.map(({ code }: { code: string }) => code)).toContain('unrecognized_keys');
  });

  it(`${line} with a thousand unknown fields -> 422 with a short response`, async () => {
    const answer = await send(Object.fromEntries(Array.from({ length: 1000 }, (__, i) => [`f${i}`, 1])));
    expectProblem(answer, 422, 'validation_failed');
    expect(answer.text.length).toBeLessThan(2000);
  });
});

it('POST /clients/{id}/setup-bot with privateKey -> 422 that names the allowed fields, private_key among them', async () => {
  const answer = await setUp(client, { privateKey: newEvmKey().privateKey });
  expectProblem(answer, 422, 'validation_failed');
  expect(answer.json.errors).toContainEqual({
    pointer: '',
    code: 'unrecognized_keys',
    detail: expect.stringMatching(/^unknown: \(not shown\); allowed are: .*\bprivate_key\b/),
  });
});

it('GET /clients with an unknown parameter -> 422 that names the allowed parameters', async () => {
  const answer = await call('GET /clients?page=1', { token: admin.token });
  expectProblem(answer, 422, 'validation_failed');
  expect(answer.json.errors[0].detail).toBe('unknown: page; allowed are: limit, cursor');
});
