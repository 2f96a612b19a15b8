/**
 * Requests that a proxy and a server could parse differently (RFC 9112, section 11.2), over a raw socket against the real
 * runtime. Each one hides a second request, which would stop a bot, in what some parsers take for the body of the first.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { call, MASTER_KEY } from '../support/api.ts';
import { type ClientWithBot, newClientWithBot } from '../support/bots.ts';
import { type RunningWorker, startWorker } from '../support/worker.ts';

let worker: RunningWorker;
let owner: ClientWithBot;
beforeAll(async () => {
  owner = await newClientWithBot();
  worker = await startWorker({
    SUPABASE_URL: inject('supabaseUrl'),
    SUPABASE_PUBLISHABLE_KEY: inject('publishableKey'),
    EDGE_TOKEN: inject('edgeToken'),
    SUPABASE_JWT_SECRET: inject('jwtSecret'),
    ENCRYPTION_KEY: MASTER_KEY,
  });
});
afterAll(() => worker.harness.close());

const SILENCE_MS = 1_500;

/** Sends these bytes unchanged. Returns the status of every response, and the whole text that was received. */
async function raw(text: string): Promise<{ statuses: number[]; text: string }> {
  const socket = connect(Number(worker.url.port), '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.on('error', () => {});
  // Some parsers wait for the rest of a body that never comes.
  socket.setTimeout(SILENCE_MS, () => socket.destroy());
  await once(socket, 'connect');
  socket.write(Buffer.from(text, 'latin1'));
  await once(socket, 'close');
  const answer = Buffer.concat(chunks).toString('latin1');
  return {
    statuses: [...answer.matchAll(/^HTTP\/1\.[01] (\d{3})/gm)].map(([, status]) => Number(status)),
    text: answer,
  };
}

const lines = (...all: string[]) => all.join('\r\n');
const stop = () =>
  lines(
    `POST /bots/${owner.botId}/stop HTTP/1.1`,
    'Host: localhost',
    `Authorization: Bearer ${owner.token}`,
    'Content-Length: 0',
    'Connection: close',
    '',
    '',
  );
const status = async () => (await call(`GET /bots/${owner.botId}`, { token: owner.token })).json.status;
const post = (...headers: string[]) => [
  'POST /clients HTTP/1.1',
  'Host: localhost',
  'Content-Type: application/json',
  ...headers,
  '',
];

it('the hidden request, sent on its own, stops the bot', async () => {
  expect((await raw(stop())).statuses).toEqual([200]);
  expect(await status()).toBe('stopped');
  await call(`POST /bots/${owner.botId}/start`, { token: owner.token });
});

describe('a hidden request is not executed', () => {
  /** Each as headers and the text before the hidden request. */
  const shapes: [string, () => string[]][] = [
    [
      'Content-Length and Transfer-Encoding',
      () => [...post(`Content-Length: ${5 + stop().length}`, 'Transfer-Encoding: chunked'), '0', '', ''],
    ],
    [
      'Transfer-Encoding and Content-Length',
      () => [...post('Transfer-Encoding: chunked', `Content-Length: ${5 + stop().length}`), '0', '', ''],
    ],
    [
      'two Content-Length, the first longer',
      () => [...post(`Content-Length: ${stop().length}`, 'Content-Length: 0'), ''],
    ],
    [
      'two Content-Length, the first shorter',
      () => [...post('Content-Length: 0', `Content-Length: ${stop().length}`), ''],
    ],
    ['a list of Content-Length', () => [...post(`Content-Length: 0, ${stop().length}`), '']],
    ['a Content-Length with a sign', () => [...post('Content-Length: +0'), '']],
    ['a Content-Length in hex', () => [...post('Content-Length: 0x0'), '']],
    ['a Content-Length below 0', () => [...post('Content-Length: -1'), '']],
    ['a Content-Length of too many digits', () => [...post('Content-Length: 18446744073709551616'), '']],
    ['a Content-Length that wraps around', () => [...post(`Content-Length: ${2n ** 64n + 2n}`), '{}']],
    ['white space before the colon', () => [...post(`Content-Length : ${stop().length}`), '']],
    [
      'a tab in Transfer-Encoding',
      () => [...post('Transfer-Encoding:\tchunked', `Content-Length: ${5 + stop().length}`), '0', '', ''],
    ],
    ['xchunked', () => [...post('Transfer-Encoding: xchunked', `Content-Length: ${stop().length}`), '']],
    [
      'chunked twice',
      () => [...post('Transfer-Encoding: chunked', 'Transfer-Encoding: identity'), '0', '', ''],
    ],
    ['chunked, identity', () => [...post('Transfer-Encoding: chunked, identity'), '0', '', '']],
    ['chunked before gzip', () => [...post('Transfer-Encoding: chunked, gzip'), '0', '', '']],
    [
      'Transfer-Encoding in quotes',
      () => [...post('Transfer-Encoding: "chunked"', `Content-Length: ${stop().length}`), ''],
    ],
    [
      'a vertical tab',
      () => [...post('Transfer-Encoding: \x0bchunked', `Content-Length: ${stop().length}`), ''],
    ],
    [
      'a folded header (obs-fold)',
      () => [...post('Transfer-Encoding:', ' chunked', `Content-Length: ${5 + stop().length}`), '0', '', ''],
    ],
    [
      'a header hidden by a fold',
      () => [...post('X-Header: x', `\tContent-Length: ${stop().length}`, 'Content-Length: 0'), ''],
    ],
    [
      'a lone line feed',
      () => [`${post('X: y').slice(0, -1).join('\r\n')}\nContent-Length: ${stop().length}`, '', ''],
    ],
    ['a lone carriage return', () => [...post(`X: y\rContent-Length: ${stop().length}`), '']],
    ['a NUL in a header', () => [...post('X: y\0', `Content-Length: ${stop().length}`), '']],
    ['a chunk size below 0', () => [...post('Transfer-Encoding: chunked'), '-1', '']],
    ['a chunk size with 0x', () => [...post('Transfer-Encoding: chunked'), '0x0', '', '']],
    [
      'a chunk size that wraps around',
      () => [...post('Transfer-Encoding: chunked'), '10000000000000000', '', ''],
    ],
    ['a chunk size with a space', () => [...post('Transfer-Encoding: chunked'), '0 2', '', '']],
    ['no chunk size', () => [...post('Transfer-Encoding: chunked'), '', '', '']],
    [
      'a chunk longer than its declared size',
      () => [...post('Transfer-Encoding: chunked'), '2', '{}xx', '0', '', ''],
    ],
    [
      'a line feed in a chunk extension',
      () => [...post('Transfer-Encoding: chunked'), `2;\nx`, '{}', '0', '', ''],
    ],
    [
      'HTTP/1.0 with Transfer-Encoding',
      () => [
        'POST /clients HTTP/1.0',
        'Host: localhost',
        'Transfer-Encoding: chunked',
        `Content-Length: ${5 + stop().length}`,
        '',
        '0',
        '',
        '',
      ],
    ],
  ];
  it.each(shapes)('%s', async (_, shape) => {
    const answer = await raw(`${lines(...shape())}${stop()}`);
    // The body of a request that was rejected is not read as a second request: the connection ends, or waits.
    expect(answer.statuses.filter((code) => code < 400)).toEqual([]);
    expect(await status()).toBe('running');
    expect(answer.text).not.toContain(owner.token);
  });
});

describe('malformed requests', () => {
  const bearer = () => `Authorization: Bearer ${owner.token}`;
  const get = (...headers: string[]) => [
    'GET /clients/me HTTP/1.1',
    'Host: localhost',
    'Connection: close',
    ...headers,
    '',
    '',
  ];

  it('a well-formed request -> 200', async () => {
    expect((await raw(lines(...get(bearer())))).statuses).toEqual([200]);
  });

  it.each<[string, () => string[]]>([
    ['two Authorization headers, a good one first', () => get(bearer(), 'Authorization: Bearer a.b.c')],
    ['two Authorization headers, a good one last', () => get('Authorization: Bearer a.b.c', bearer())],
    ['the same Authorization header twice', () => get(bearer(), bearer())],
    ['a folded Authorization header', () => get('Authorization: Bearer', ` ${owner.token}`)],
    ['an Authorization header with a NUL', () => get(`${bearer()}\0`)],
    ['a space before the colon', () => get(`Authorization : Bearer ${owner.token}`)],
    ['a token of 200 KiB', () => get(`Authorization: Bearer ${'x'.repeat(200 * 1024)}`)],
    [
      'a path of 200 KiB',
      () => [`GET /${'x'.repeat(200 * 1024)} HTTP/1.1`, 'Host: localhost', 'Connection: close', '', ''],
    ],
    ['HTTP/9.9', () => ['GET /clients/me HTTP/9.9', 'Host: localhost', bearer(), '', '']],
    ['HTTP/0.9', () => ['GET /clients/me', '']],
    ['a method of its own', () => ['STOP /clients/me HTTP/1.1', 'Host: localhost', bearer(), '', '']],
    ['a method in small letters', () => ['get /clients/me HTTP/1.1', 'Host: localhost', bearer(), '', '']],
    ['TRACE', () => ['TRACE /clients/me HTTP/1.1', 'Host: localhost', bearer(), 'Connection: close', '', '']],
    ['HTTP/2 without an upgrade', () => ['PRI * HTTP/2.0', '', 'SM', '', '']],
    ['TLS', () => ['\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03']],
  ])('%s -> 4xx, 501, or a closed connection', async (_, request) => {
    const { statuses, text } = await raw(lines(...request()));
    for (const code of statuses) expect([400, 401, 404, 405, 413, 414, 431, 501, 505]).toContain(code);
    expect(statuses.length).toBeLessThanOrEqual(1);
    expect(text).not.toContain(owner.token);
    expect(text).not.toContain(owner.clientId);
  });

  it.each([
    'http://evil.example/clients/me',
    'https://localhost/clients/me',
    'http://user:password@localhost/clients/me',
  ])('an absolute target, %s -> the same as the path alone, or rejected', async (target) => {
    const request = (...headers: string[]) => [
      `GET ${target} HTTP/1.1`,
      'Host: localhost',
      'Connection: close',
      ...headers,
      '',
      '',
    ];
    const anonymous = await raw(lines(...request()));
    for (const code of anonymous.statuses) expect([400, 401, 404]).toContain(code);
    expect((await raw(lines(...request(bearer())))).text).not.toContain('evil.example');
  });

  it('CONNECT -> rejected by the runtime before it reaches the Worker', async () => {
    const { text } = await raw(
      lines('CONNECT localhost:5432 HTTP/1.1', 'Host: localhost:5432', bearer(), '', ''),
    );
    expect(text).not.toMatch(/^HTTP\/1\.1 2|x-request-id/im);
  });

  it('two Content-Type headers -> 415, whichever is first', async () => {
    for (const types of [
      ['application/json', 'text/plain'],
      ['text/plain', 'application/json'],
    ]) {
      const body = '{}';
      const headers = types.map((type) => `Content-Type: ${type}`);
      const { statuses } = await raw(
        lines(
          'POST /clients HTTP/1.1',
          'Host: localhost',
          bearer(),
          ...headers,
          `Content-Length: ${body.length}`,
          'Connection: close',
          '',
          body,
        ),
      );
      expect(statuses).toEqual([415]);
    }
  });
});

describe('bodies around 64 KiB, over the network', () => {
  const body = (bytes: number) => '{"name": 1}'.padEnd(bytes, ' ');
  const head = (...headers: string[]) => [
    `PUT /bots/${owner.botId}/policy HTTP/1.1`,
    'Host: localhost',
    `Authorization: Bearer ${owner.token}`,
    'Content-Type: application/json',
    'Connection: close',
    ...headers,
    '',
  ];
  const chunked = (text: string, size: number) =>
    `${(text.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? []).map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('')}0\r\n\r\n`;

  it.each([
    [65_535, 422],
    [65_536, 422],
    [65_537, 413],
  ])('%i bytes -> %i, with a length or in chunks', async (bytes, code) => {
    const whole = await raw(lines(...head(`Content-Length: ${bytes}`), body(bytes)));
    expect(whole.statuses).toEqual([code]);
    for (const size of [1_000, 65_536]) {
      const parts = await raw(lines(...head('Transfer-Encoding: chunked'), chunked(body(bytes), size)));
      expect([parts.statuses, parts.statuses[0] === code ? '' : parts.text.slice(0, 1500)]).toEqual([
        [code],
        '',
      ]);
    }
  });

  it('a body longer than its Content-Length of 65,536 -> the rest is not read as its body', async () => {
    const { statuses } = await raw(lines(...head('Content-Length: 65536'), body(65_537)));
    expect(statuses).toEqual([422]);
  });

  it('a body that is cut off -> changes nothing', async () => {
    const before = await call(`GET /bots/${owner.botId}/policy`, { token: owner.token });
    await raw(lines(...head('Content-Length: 1000'), '{"max_value": "1"}'));
    await raw(lines(...head('Transfer-Encoding: chunked'), '12', '{"max_value": "1"}', ''));
    expect((await call(`GET /bots/${owner.botId}/policy`, { token: owner.token })).json).toEqual(before.json);
  });
});
