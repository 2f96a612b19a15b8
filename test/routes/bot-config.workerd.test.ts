/** The config that a bot's own program reads: any JSON object of limited size, returned as it was sent. */
import { describe, expect, it } from 'vitest';
import { call } from '../support/api.ts';
import { create } from '../support/bots.ts';
import { newAdmin, newClient } from '../support/people.ts';
import { expectProblem } from '../support/problems.ts';

const [admin, client] = await Promise.all([newAdmin(), newClient()]);
const send = (config: unknown) => create(admin, client, { config });
/** As text, for values that a JavaScript object cannot hold. */
const sendText = (config: string) =>
  call('POST /bots/create', {
    token: admin.token,
    body: `{"client_id":"${client.clientId}","name":"A bot","bot_type":"evm-grid","config":${config}}`,
  });
const nested = (depth: number): unknown => (depth === 0 ? {} : { a: nested(depth - 1) });

describe('a config', () => {
  it.each([
    ['nothing in it', {}],
    ['all kinds of values', { a: 1, b: -2.5e-7, c: 'text', d: true, e: null, f: [1, [2, { g: 'h' }]] }],
    ['7 levels', nested(7)],
    ['Unicode', { ключ: '值 😀' }],
    ['names of JavaScript', { constructor: 1, toString: 'x', hasOwnProperty: null }],
    ['16 KiB', { a: 'x'.repeat(16 * 1024 - 9) }],
  ])('with %s -> 201, as it was sent', async (_, config) => {
    const answer = await send(config);
    expect([answer.status, answer.json.config]).toEqual([201, config]);
    expect((await call(`GET /bots/${answer.json.id}`, { token: client.token })).json.config).toEqual(config);
  });

  it.each([
    ['8 levels', nested(8)],
    ['16 KiB and a byte', { a: 'x'.repeat(16 * 1024 - 7) }],
    ['16 KiB in UTF-8 only', { a: 'й'.repeat(9 * 1024) }],
    ['a NUL', { a: 'b\0c' }],
    ['a NUL in a name', { 'a\0': 1 }],
    ['half of a pair', { a: ['\ud83d'] }],
    ['a list', [1]],
    ['text', '{}'],
    ['null', null],
  ])('with %s -> 422 at /config', async (_, config) => {
    const answer = await send(config);
    expectProblem(answer, 422, 'validation_failed');
    expect(answer.json.errors[0].pointer).toBe('/config');
  });

  // PostgreSQL writes a space after each comma and colon, and every digit of a number.
  it.each([
    ['16 KiB that need more in the database', { a: 'x'.repeat(16 * 1024 - 8) }],
    ['as many numbers as are allowed', { a: Array(8188).fill(1) }],
    ['numbers with exponents, in 16 KiB with all their digits', { a: Array(54).fill(1e-300) }],
  ])('with %s -> 201, as it was sent', async (_, config) => {
    const answer = await send(config);
    expect([answer.status, answer.json.config]).toEqual([201, config]);
  });

  it('with numbers with exponents, in more than 16 KiB with all their digits -> 422', async () => {
    const answer = await send({ a: Array(55).fill(1e-300) });
    expectProblem(answer, 422, 'validation_failed');
    expect(answer.json.errors[0].pointer).toBe('/config');
  });

  it('is not in the list of bots', async () => {
    const owner = await newClient();
    const made = await create(admin, owner, { config: { pair: 'ETH/USDC' } });
    const { config, ...rest } = made.json;
    const list = await call(`GET /clients/${owner.clientId}/bots`, { token: owner.token });
    expect(list.json.items).toEqual([rest]);
  });

  it('with 30,000 levels -> 422', async () => {
    expectProblem(
      await sendText(`{"a":${'['.repeat(30_000)}${']'.repeat(30_000)}}`),
      422,
      'validation_failed',
    );
    expectProblem(
      await sendText(`${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`),
      422,
      'validation_failed',
    );
  });

  it.each(['{"__proto__":{"polluted":1}}', '{"a":[{"__proto__":{"polluted":1}}]}'])(
    'with %s -> 422, and no property of any other object',
    async (text) => {
      expectProblem(await sendText(text), 422, 'validation_failed');
      expect(({} as { polluted?: number }).polluted).toBeUndefined();
    },
  );

  it.each(['12345678901234567891', '1e400', '-9007199254740993', '1e308'])(
    'with %s, which would come back as another number -> 422',
    async (number) => {
      expectProblem(await sendText(`{"max_wei":${number}}`), 422, 'validation_failed');
    },
  );

  it('with numbers that are stored exactly -> 201 and the same numbers', async () => {
    const config = { whole: 9007199254740991, part: 0.1, small: 1e-300, text: '12345678901234567891' };
    expect((await send(config)).json.config).toEqual(config);
  });
});
