/** A connection to a server that stays open, with one request at a time. Node's own client would use more time than some servers. */
import { connect, type Socket } from 'node:net';

export interface Request {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Response {
  readonly status: number;
  readonly body: string;
}

const END_OF_HEAD = '\r\n\r\n';

export class Connection {
  readonly #host: string;
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #waiting: PromiseWithResolvers<Response> | undefined;

  private constructor(host: string, socket: Socket) {
    this.#host = host;
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (data) => this.#receive(data));
    socket.once('error', (error) => this.#waiting?.reject(error));
    socket.once('close', () => this.#waiting?.reject(new Error('The server closed the connection.')));
  }

  static async open(url: string): Promise<Connection> {
    const { hostname, port, host } = new URL(url);
    const socket = connect(Number(port), hostname);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    socket.once('connect', resolve);
    socket.once('error', reject);
    await promise;
    return new Connection(host, socket);
  }

  send({ method = 'GET', path, headers = {}, body }: Request): Promise<Response> {
    const all = {
      host: this.#host,
      ...headers,
      ...(body !== undefined && { 'content-length': `${Buffer.byteLength(body)}` }),
    };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    this.#waiting = Promise.withResolvers();
    this.#socket.write(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body ?? ''}`);
    return this.#waiting.promise;
  }

  close(): void {
    this.#waiting = undefined;
    this.#socket.destroy();
  }

  #receive(data: Buffer): void {
    this.#received = this.#received.length ? Buffer.concat([this.#received, data]) : data;
    const response = responseIn(this.#received);
    if (!response) return;
    this.#received = Buffer.alloc(0);
    this.#waiting?.resolve(response);
  }
}

/** `undefined` until the whole response is there. */
function responseIn(received: Buffer): Response | undefined {
  const end = received.indexOf(END_OF_HEAD);
  if (end < 0) return undefined;
  const head = received.toString('latin1', 0, end).toLowerCase();
  const rest = received.subarray(end + END_OF_HEAD.length);
  const status = Number(head.slice('http/1.1 '.length).split(' ', 1)[0]);
  const length = /\ncontent-length: *(\d+)/.exec(head)?.[1];
  if (length !== undefined) {
    return rest.length < Number(length) ? undefined : { status, body: rest.toString() };
  }
  if (!/\ntransfer-encoding: *chunked/.test(head)) return { status, body: '' };
  const body = dechunked(rest);
  return body && { status, body: body.toString() };
}

function dechunked(rest: Buffer): Buffer | undefined {
  const parts: Buffer[] = [];
  for (let at = 0; ; ) {
    const line = rest.indexOf('\r\n', at);
    if (line < 0) return undefined;
    const size = Number.parseInt(rest.toString('latin1', at, line), 16);
    const next = line + 2 + size + 2;
    if (rest.length < next) return undefined;
    if (size === 0) return Buffer.concat(parts);
    parts.push(rest.subarray(line + 2, next - 2));
    at = next;
  }
}
