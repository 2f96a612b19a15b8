/** A server in the place of the API, over real HTTP, that answers as a test tells it and keeps what it was asked. */
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

/** The answers come in this order; the last one stays. */
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

/** Ends the connection without an answer. */
export const hangUp: Answer = (response) => response.destroy();
/** Never answers. */
export const silence: Answer = () => {};
