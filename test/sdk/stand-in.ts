/** A server in place of the API, over real HTTP. It responds as a test tells it, and records its requests. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Asked {
  readonly line: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface StandIn {
  readonly url: string;
  readonly asked: readonly Asked[];
  close(): Promise<void>;
}

export type Answer = (response: ServerResponse, asked: Asked) => unknown;

/** The responses are sent in this order; the last one is repeated. */
export async function startStandIn(...answers: [Answer, ...Answer[]]): Promise<StandIn> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const next: Asked = {
        line: `${request.method} ${request.url}`,
        headers: request.headers,
        body: Buffer.concat(chunks).toString('utf8'),
      };
      const answer = answers[Math.min(asked.length, answers.length - 1)] ?? answers[0];
      asked.push(next);
      void answer(response, next);
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    async close() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

export const json =
  (body: unknown, status = 200, headers: Record<string, string> = {}): Answer =>
  (response) =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));

export const problem = (code: string, status: number, headers: Record<string, string> = {}): Answer =>
  json(
    { type: '/docs#problem-x', title: 'A title', status, detail: 'A detail.', request_id: 'request-1', code },
    status,
    {
      'content-type': 'application/problem+json',
      ...headers,
    },
  );

/** Closes the connection without a response. */
export const hangUp: Answer = (response) => response.destroy();
/** Never responds. */
export const silence: Answer = () => {};
