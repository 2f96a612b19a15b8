/**
 * The operator's SQL, for tests that run inside workerd and have no database driver: one loopback address that
 * runs a statement with parameters as the role `postgres` and answers its rows.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import postgres from 'postgres';

export interface Operator {
  readonly url: string;
  close(): Promise<void>;
}

export async function startOperator(databaseUrl: string): Promise<Operator> {
  const sql = postgres(databaseUrl, { max: 4, onnotice: () => {} });
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const { text, values } = JSON.parse(Buffer.concat(chunks).toString('utf8'));
      sql
        .unsafe(text, values)
        .then((rows) => response.end(JSON.stringify([...rows])))
        .catch((error) => response.writeHead(500).end(JSON.stringify({ error: String(error) })));
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
      await sql.end();
    },
  };
}
