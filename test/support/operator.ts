/**
 * Services for tests inside workerd, at one loopback address: runs the operator's SQL as the role `postgres`, creates
 * projects, and stores received and submitted texts until the leak scan at the end of the run.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import postgres from 'postgres';
import type { Stack } from '../../tools/stack/stack.ts';
import { type Project, type RunningProject, startProject } from './projects.ts';
import type { Recording } from './recorder.ts';

export interface Operator {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Longer than any test blocks its thread. If the server closes a connection in that time, the next request on it is lost, and
 * the files of a project share their connections.
 */
export const SERVER_OPTIONS = { keepAliveTimeout: 600_000 };

export async function startOperator(stack: Stack): Promise<Operator> {
  const projects: RunningProject[] = [];
  const sql = postgres(stack.databaseUrl, { max: 4, onnotice: () => {} });
  const recording = { keys: new Set<string>(), texts: [] as string[], idempotencyKeys: [] as string[] };

  const paths: Record<string, (body: string) => Promise<unknown>> = {
    async '/sql'(body) {
      const { text, values } = JSON.parse(body);
      return [...(await sql.unsafe(text, values))];
    },
    async '/project'() {
      const project = await startProject(stack, { migrated: true });
      projects.push(project);
      const { supabaseUrl, databaseUrl } = project;
      return { supabaseUrl, databaseUrl } satisfies Project;
    },
    async '/record'(body) {
      const { keys, texts, idempotencyKeys }: Recording = JSON.parse(body);
      for (const key of keys) recording.keys.add(key);
      recording.texts.push(...texts);
      recording.idempotencyKeys.push(...idempotencyKeys);
      return null;
    },
    async '/recorded'() {
      return { ...recording, keys: [...recording.keys] };
    },
  };

  const server = createServer(SERVER_OPTIONS, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const path = paths[request.url ?? ''] ?? (() => Promise.reject(new Error('no such path')));
      path(Buffer.concat(chunks).toString('utf8'))
        .then((answer) => response.end(JSON.stringify(answer)))
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
      for (const project of projects) await project.close();
    },
  };
}
