/** A proxy between the Worker and the database API, at a constant address, that injects faults. */
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** A request that came in, and the ways to handle it. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The address of the database API. */
  readonly upstream: URL;
  body(): Promise<Buffer>;
  /** Forwards the request and waits for the whole response: then the database has executed it. */
  forward(): Promise<ForwardedAnswer>;
}

export interface ForwardedAnswer {
  readonly status: number;
  readonly type: string;
  readonly body: Buffer;
}

export type Fault = (exchange: Exchange) => Promise<void>;

export interface DatabaseProxy {
  readonly url: string;
  /** Names of the functions that were called since the last change, in order. */
  readonly calls: readonly string[];
  /** Forwards every request. */
  heal(): Promise<void>;
  /** Handles each request like this; with a number, only the first ones, and forwards the others. */
  meet(fault: Fault, times?: number): Promise<void>;
  /** Stops listening at the address. */
  refuse(): Promise<void>;
  /** Resets every connection at once. */
  reset(): Promise<void>;
  close(): Promise<void>;
}

export async function startProxy(upstream: URL): Promise<DatabaseProxy> {
  const sockets = new Set<Socket>();
  const calls: string[] = [];
  let fault: Fault = pass;
  let times = Number.POSITIVE_INFINITY;
  let resets = false;

  const server: Server = createServer((incoming, response) => {
    calls.push(incoming.url?.split('/').at(-1) ?? '');
    const meets = times > 0 ? fault : pass;
    times -= 1;
    response.on('error', () => {});
    meets(exchangeOf(incoming, response, upstream)).catch(() => incoming.socket.destroy());
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    if (resets) socket.resetAndDestroy();
  });
  const listen = (port: number) =>
    new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', () => {
        server.off('error', reject);
        resolve();
      });
    });
  await listen(0);
  const { port } = server.address() as AddressInfo;

  const close = async () => {
    const closed = new Promise((done) => server.close(done));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  /** Connections that are kept open would not see the new behaviour. */
  const change = async (next: Fault, count: number, resetting: boolean) => {
    fault = next;
    times = count;
    resets = resetting;
    calls.length = 0;
    if (server.listening) await close();
    await listen(port);
  };
  return {
    url: `http://127.0.0.1:${port}`,
    calls,
    heal: () => change(pass, 0, false),
    meet: (next, count = Number.POSITIVE_INFINITY) => change(next, count, false),
    reset: () => change(pass, 0, true),
    async refuse() {
      await change(pass, 0, false);
      await close();
    },
    async close() {
      if (server.listening) await close();
    },
  };
}

const pass: Fault = async ({ forward, response }) => {
  const { status, type, body } = await forward();
  response.writeHead(status, { 'content-type': type, 'content-length': body.length }).end(body);
};

function exchangeOf(incoming: IncomingMessage, response: ServerResponse, upstream: URL): Exchange {
  let read: Promise<Buffer> | undefined;
  const body = () => {
    read ??= bytesOf(incoming);
    return read;
  };
  return {
    request: incoming,
    response,
    upstream,
    body,
    async forward() {
      const sent = await body();
      return new Promise((resolve, reject) => {
        const { host: _, connection: __, ...headers } = incoming.headers;
        const target = new URL(incoming.url ?? '/', upstream);
        const outgoing = request(target, { method: incoming.method, headers, agent: false }, (answer) => {
          bytesOf(answer)
            .then((bytes) =>
              resolve({
                status: answer.statusCode ?? 0,
                type: answer.headers['content-type'] ?? '',
                body: bytes,
              }),
            )
            .catch(reject);
        });
        outgoing.once('error', reject);
        outgoing.end(sent);
      });
    },
  };
}

async function bytesOf(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}
