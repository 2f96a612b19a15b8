/** Stands between the Worker and the database API, and records which function each call names and how many bytes it carries. */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface RecordedCall {
  readonly name: string;
  readonly sentBytes: number;
  readonly answeredBytes: number;
}

export class Recorder {
  readonly url: string;
  readonly calls: RecordedCall[] = [];
  readonly #server;

  private constructor(server: ReturnType<typeof createServer>, target: string) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('request', async (request, response) => {
      const body = await bodyOf(request);
      const headers = Object.entries(request.headers).filter(([name]) => !HOP_BY_HOP.includes(name));
      const answer = await fetch(`${target}${request.url}`, {
        method: request.method ?? 'GET',
        headers: headers as [string, string][],
        ...(request.method === 'POST' && { body: new Uint8Array(body) }),
      });
      const bytes = Buffer.from(await answer.arrayBuffer());
      const name = (request.url ?? '').replace('/rest/v1/rpc/', '');
      this.calls.push({ name, sentBytes: body.length, answeredBytes: bytes.length });
      response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
      response.end(bytes);
    });
  }

  static async start(target: string): Promise<Recorder> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new Recorder(server, target);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

const HOP_BY_HOP = ['host', 'connection', 'content-length', 'transfer-encoding'];

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts);
}
