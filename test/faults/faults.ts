/** Every fault between the Worker and the database API, and whether the request reaches the database. */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import type { DatabaseProxy, Exchange, Fault } from './proxy.ts';

export interface Failing {
  readonly name: string;
  /** Whether the database executes the call all the same. */
  readonly reaches: boolean;
  begin(proxy: DatabaseProxy): Promise<void>;
}

const PAGE = '<!doctype html><title>502 Bad Gateway</title><h1>Bad gateway</h1>';

const json = (exchange: Exchange, status: number, value: unknown) => {
  const body = JSON.stringify(value);
  exchange.response.writeHead(status, { 'content-type': 'application/json' }).end(body);
};
const page = ({ response }: Exchange, status: number) => {
  response.writeHead(status, { 'content-type': 'text/html' }).end(PAGE);
};
const cut = ({ request }: Exchange) => {
  request.socket.resetAndDestroy();
};

/** Half of the request's body reaches the database API. Then the connection is closed on both sides. */
const cutRequest: Fault = async (exchange) => {
  const { request, upstream } = exchange;
  const body = await exchange.body();
  const socket = connect(Number(upstream.port), upstream.hostname);
  socket.on('error', () => {});
  await once(socket, 'connect');
  const head = [`${request.method} ${request.url} HTTP/1.1`, `host: ${upstream.host}`];
  for (const [name, value] of Object.entries(request.headers)) {
    if (!['host', 'connection', 'transfer-encoding', 'content-length'].includes(name))
      head.push(`${name}: ${value}`);
  }
  head.push(`content-length: ${body.length}`);
  socket.write(`${head.join('\r\n')}\r\n\r\n`);
  socket.write(body.subarray(0, Math.floor(body.length / 2)));
  await wait(50);
  socket.resetAndDestroy();
  cut(exchange);
};

/** The database executes the call. Half of its response is sent, and then the connection is closed. */
const cutAnswer =
  (end: (exchange: Exchange) => void): Fault =>
  async (exchange) => {
    const { status, type, body } = await exchange.forward();
    exchange.response.writeHead(status, { 'content-type': type, 'content-length': body.length });
    exchange.response.write(body.subarray(0, Math.floor(body.length / 2)));
    await wait(20);
    end(exchange);
  };

/** Sends a byte now and then, and never the end. */
const trickle: Fault = async ({ forward, response }) => {
  const { status, type, body } = await forward();
  response.writeHead(status, { 'content-type': type, 'content-length': body.length });
  for (const byte of body) {
    if (response.destroyed) return;
    response.write(Uint8Array.of(byte));
    await wait(100);
  }
  response.end();
};

export const ENDLESS_CHUNK = 1024 * 1024;

/** Sends as much as the other side takes; `sent` counts the bytes. */
export const endless =
  (sent: (bytes: number) => void, headers: Readonly<Record<string, string>> = {}): Fault =>
  async ({ forward, response }) => {
    const { status, type } = await forward();
    response.writeHead(status, { 'content-type': type, ...headers });
    response.write('{"id":"');
    const chunk = 'a'.repeat(ENDLESS_CHUNK);
    while (!response.destroyed) {
      sent(chunk.length);
      if (!response.write(chunk)) await drained(response);
    }
  };

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.on('drain', done).on('close', done);
  });
}

const meeting = (name: string, reaches: boolean, fault: Fault): Failing => ({
  name,
  reaches,
  begin: (proxy) => proxy.meet(fault),
});

export const FAILING: readonly Failing[] = [
  { name: 'connections are refused', reaches: false, begin: (proxy) => proxy.refuse() },
  { name: 'connections are reset', reaches: false, begin: (proxy) => proxy.reset() },
  meeting('the connection is reset before the request is read', false, async (exchange) => cut(exchange)),
  meeting('the connection is reset in the middle of the request', false, cutRequest),
  meeting('the connection is reset in the middle of the response', true, cutAnswer(cut)),
  meeting(
    'the connection ends in the middle of the response',
    true,
    cutAnswer(({ response }) => response.destroy()),
  ),
  meeting('the response is lost', true, async (exchange) => {
    await exchange.forward();
    cut(exchange);
  }),
  meeting('the response is a page of a gateway', true, async (exchange) => {
    await exchange.forward();
    page(exchange, 502);
  }),
  meeting('the response is an error of PostgreSQL, 500', false, async (exchange) =>
    json(exchange, 500, { code: 'XX000', message: 'x', details: null, hint: null }),
  ),
  meeting('PostgREST has no database, 503', false, async (exchange) =>
    json(exchange, 503, { code: 'PGRST002', message: 'x', details: null, hint: null }),
  ),
  meeting('the response is a page, 500', false, async (exchange) => page(exchange, 500)),
  meeting('the response is a page, 200', false, async (exchange) => page(exchange, 200)),
  meeting('the response is truncated JSON, 200', true, async (exchange) => {
    const { status, type, body } = await exchange.forward();
    const half = body.subarray(0, Math.floor(body.length / 2));
    exchange.response.writeHead(status, { 'content-type': type, 'content-length': half.length }).end(half);
  }),
  meeting('the response is a redirect', false, async ({ request, upstream, response }) => {
    response.writeHead(307, { location: new URL(request.url ?? '/', upstream).href }).end();
  }),
  meeting('the response comes too late', true, async ({ forward, response }) => {
    await forward();
    await once(response, 'close');
  }),
  meeting('the response arrives byte by byte', true, trickle),
  meeting(
    'the response does not end',
    true,
    endless(() => {}),
  ),
  meeting('no response is sent', false, async ({ response }) => {
    await once(response, 'close');
  }),
];
