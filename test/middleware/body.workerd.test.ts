/** Which bodies are accepted before their content is validated. Tests every operation that takes a body. */
import { describe, expect, it } from 'vitest';
import { createApp } from '../../src/app.ts';
import type { Bindings } from '../../src/env.ts';
import { MAX_BODY_BYTES, MAX_SIGNING_BODY_BYTES } from '../../src/middleware/body.ts';
import { type Answer, call, settings } from '../support/api.ts';
import { isJsonRpc, operations, tokenFor } from '../support/operations.ts';
import { newAdmin } from '../support/people.ts';
import { expectProblem } from '../support/problems.ts';
import { lineTo } from '../support/requests.ts';

const admin = await newAdmin();
const TAKE_A_BODY = operations
  .filter((operation) => operation.takesBody && !isJsonRpc(operation))
  .map(({ line }) => line);
const app = createApp();

const client = (padding = '') => ({
  name: `A client${padding}`,
  email: `${crypto.randomUUID()}@example.test`,
});
const json = { 'content-type': 'application/json' };
const unreachable = { ...settings(), SUPABASE_URL: 'http://127.0.0.1:9' };

/** Sends the bytes unchanged, with a length or in chunks. */
async function send(
  line: string,
  bytes: Uint8Array<ArrayBuffer>,
  how: 'whole' | 'in chunks',
  headers = json,
  env: Bindings = settings(),
): Promise<Answer> {
  const [method = '', path = ''] = lineTo(line).split(' ');
  const stream = () =>
    new ReadableStream({
      start(controller) {
        for (let i = 0; i < bytes.length; i += 1000) controller.enqueue(bytes.slice(i, i + 1000));
        controller.close();
      },
    });
  const request = new Request(`http://api.example.test${path}`, {
    method,
    headers: {
      authorization: `Bearer ${tokenFor(line, admin.token)}`,
      ...headers,
      ...(how === 'whole' && { 'content-length': String(bytes.length) }),
    },
    body: how === 'whole' ? bytes : stream(),
  });
  const response = await app.fetch(request, env);
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: JSON.parse(text) };
}

/** The largest body of an operation. Those that sign take a whole transaction. */
const SIGNING: readonly string[] = ['POST /bots/{id}/sign', 'POST /bots/{id}/rpc'];
const limitOf = (line: string) => (SIGNING.includes(line) ? MAX_SIGNING_BODY_BYTES : MAX_BODY_BYTES);

const bytesOf = (text: string) => new TextEncoder().encode(text);
/** A valid body, padded with white space to this size. */
const sized = (size: number) => bytesOf(JSON.stringify(client()).padEnd(size, ' '));

describe.each(TAKE_A_BODY)('%s', (line) => {
  it.each(['whole', 'in chunks'] as const)('over its limit, %s -> 413', async (how) => {
    expectProblem(await send(line, sized(limitOf(line) + 1), how), 413, 'body_too_large');
  });

  it.each(['whole', 'in chunks'] as const)('exactly its limit, %s -> accepted', async (how) => {
    expect([201, 422]).toContain((await send(line, sized(limitOf(line)), how)).status);
  });

  it.each([
    'text/plain',
    'text/json',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/jsonp',
    'application/json-patch+json',
    'application/vnd.api+json',
    'application/octet-stream',
    'x application/json',
    'application',
    '*/*',
    '',
  ])('content type "%s" -> 415', async (type) => {
    const answer = await call(lineTo(line), {
      token: tokenFor(line, admin.token),
      body: '{}',
      headers: { 'content-type': type },
    });
    expectProblem(answer, 415, 'media_type_unsupported');
  });

  it.each(['no content type', 'no content type and no body'])('%s -> 415', async (how) => {
    const bytes = how.endsWith('body') ? new Uint8Array() : bytesOf('{}');
    expectProblem(await send(line, bytes, 'whole', {} as typeof json), 415, 'media_type_unsupported');
  });

  it.each([
    ['nothing', ''],
    ['white space', ' \n'],
    ['an open brace', '{'],
    ['a comma at the end', '{"a":1,}'],
    ['a comment', '{} // x'],
    ['single quotes', "{'a':1}"],
    ['two values', '{} {}'],
    ['NaN', 'NaN'],
    ['a byte order mark', '\ufeff{}'],
    ['a form', 'name=x&email=y'],
  ])('%s -> 400', async (_, text) => {
    expectProblem(await send(line, bytesOf(text), 'whole'), 400, 'json_malformed');
    expectProblem(await send(line, bytesOf(text), 'in chunks'), 400, 'json_malformed');
  });

  it.each([
    ['invalid UTF-8', [0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]],
    ['UTF-8 cut off', [0x22, 0xe2, 0x82, 0x22]],
    ['an overlong form', [0x22, 0xc0, 0xaf, 0x22]],
    ['half of a pair in UTF-8', [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ['UTF-16', [0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00]],
  ])('%s -> 400', async (_, bytes) => {
    expectProblem(await send(line, Uint8Array.from(bytes), 'whole'), 400, 'json_malformed');
  });

  // RFC 8259, section 8.2: a JSON text can escape half of a surrogate pair, which no UTF-8 text holds. PostgREST rejects it.
  it.each([
    ['a first half', '{"x":"\\ud83d"}', '/x'],
    ['a first half in capital letters', '{"x":"\\uD83D and more"}', '/x'],
    ['a second half', '{"x":"\\ude00"}', '/x'],
    ['two halves in the wrong order', '{"x":"\\ude00\\ud83d"}', '/x'],
    ['a whole pair and half of one', '{"x":"\\ud83d\\ude00\\ud83d"}', '/x'],
    ['half of a pair after an escaped backslash', '{"x":"\\\\\\ud83d"}', '/x'],
    ['half of a pair in a list', '{"a":1,"x":[1,{"y":"\\ud83d"}]}', '/x'],
    ['half of a pair in a name', '{"x":{"a\\ud83d":1}}', '/x'],
    ['half of a pair in the name of a member', '{"a\\ud83d":1}', '/(not shown)'],
    ['half of a pair as the whole body', '"\\ud83d"', ''],
    ['half of a pair, deep down', `${'{"x":'.repeat(5000)}"\\ud83d"${'}'.repeat(5000)}`, '/x'],
  ])('%s -> 422 with its pointer, and no call of the database', async (_, text, pointer) => {
    const answer = await send(line, bytesOf(text), 'whole', json, unreachable);
    expectProblem(answer, 422, 'validation_failed');
    expect(answer.json.errors).toEqual([
      { pointer, code: 'lone_surrogate', detail: expect.stringMatching(/^half of a surrogate pair/) },
    ]);
  });

  it.each([
    ['a whole pair', '{"x":"\\ud83d\\ude00"}'],
    ['a whole pair in UTF-8', '{"x":"😀"}'],
    ['a backslash before the letters of half a pair', '{"x":"\\\\ud83d"}'],
    ['no text', '{"x":1}'],
  ])('%s -> validated by the schema', async (_, text) => {
    const { json: problem } = await send(line, bytesOf(text), 'whole', json, unreachable);
    expect(JSON.stringify(problem)).not.toContain('lone_surrogate');
  });

  it('half of a pair in a text that is not JSON -> 400', async () => {
    expectProblem(await send(line, bytesOf('{"x":"\\ud83d"'), 'whole'), 400, 'json_malformed');
  });

  it.each(['null', '[]', '"text"', '1', 'true', '[{}]'])('%s instead of an object -> 422', async (text) => {
    const answer = await send(line, bytesOf(text), 'whole');
    expectProblem(answer, 422, 'validation_failed');
    expect(answer.json.errors[0].pointer).toBe('');
  });
});

describe('POST /clients', () => {
  it.each([
    'application/json',
    'application/json; charset=utf-8',
    'application/json;charset=UTF-8',
    'Application/JSON',
    'APPLICATION/JSON; Charset=utf-8',
  ])('content type "%s" -> 201', async (type) => {
    const answer = await call('POST /clients', {
      token: admin.token,
      body: client(),
      headers: { 'content-type': type },
    });
    expect(answer.status).toBe(201);
  });

  it.each(['application/json ; charset=utf-8', 'application/json;'])(
    'content type "%s" -> 201 or 415',
    async (type) => {
      const answer = await call('POST /clients', {
        token: admin.token,
        body: client(),
        headers: { 'content-type': type },
      });
      expect([201, 415]).toContain(answer.status);
    },
  );

  it.each(['whole', 'in chunks'] as const)('a valid body, %s -> 201', async (how) => {
    expect((await send('POST /clients', sized(200), how)).status).toBe(201);
  });

  it('a length that is not a number, and a body that is much too long -> 413 or 400', async () => {
    const headers = { ...json, 'transfer-encoding': 'chunked' };
    expect((await send('POST /clients', sized(MAX_BODY_BYTES * 2), 'in chunks', headers)).status).toBe(413);
  });
});

describe('routes that take no body', () => {
  it.each(['GET /clients/me', 'POST /bots/{id}/start', 'DELETE /clients/{id}/revoke-key'])(
    '%s with a body -> ignores the body, except its size',
    async (line) => {
      if (!line.startsWith('GET')) {
        expectProblem(
          await send(line, bytesOf('{'), 'whole'),
          404,
          line.includes('bots') ? 'resource_not_found' : 'resource_not_found',
        );
        expectProblem(await send(line, sized(MAX_BODY_BYTES + 1), 'in chunks'), 413, 'body_too_large');
      }
      expect((await call(lineTo(line), { token: admin.token })).status).toBe(404);
    },
  );
});
