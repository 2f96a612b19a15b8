/** What a bot's own program reads: any JSON object of a sane size, answered as it was sent. */
import { describe, expect, it } from 'vitest';
import { call } from '../support/api.ts';
import { create } from '../support/bots.ts';
import { newAdmin, newClient } from '../support/people.ts';
import { expectProblem } from '../support/problems.ts';

const [admin, client] = await Promise.all([newAdmin(), newClient()]);
const send = (config: unknown) => create(admin, client, { config });
/** As text, for what an object of this language cannot hold. */
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

  // The database measures its own text of it, with a space after each comma and 1e308 in 309 digits.
  it.each([
    ['16 KiB that take more in the database', { a: 'x'.repeat(16 * 1024 - 8) }, 201],
    ['many numbers', { a: Array(7000).fill(1) }, 201],
    ['numbers with large exponents', { a: Array(100).fill(1e-300) }, 201],
    ['numbers that take more than 64 KiB in the database', { a: Array(1000).fill(1e-300) }, 422],
  ])('with %s -> stored, or 422 from 64 KiB on', async (_, config, status) => {
    expect((await send(config)).status).toBe(status);
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

  it('with numbers that are held as they are -> 201 and the same', async () => {
    const config = { whole: 9007199254740991, part: 0.1, small: 1e-300, text: '12345678901234567891' };
    expect((await send(config)).json.config).toEqual(config);
  });
});
