/** The Supabase-compatible REST and Auth API, from `@supabase/lite`, in front of the embedded PostgreSQL. */
import type { AddressInfo } from 'node:net';
import { type ServerType, serve } from '@hono/node-server';
import { App, generateApiKey, InMemoryEmailDriver } from '@supabase/lite';
import { createPostgresConnection } from '@supabase/lite/postgres';
import { asPostgrest } from './postgrest-status.ts';

export interface SupabaseApiOptions {
  /** Connection URL of the role `postgres`, as on hosted Supabase no superuser. */
  readonly databaseUrl: string;
  readonly jwtSecret: string;
  readonly publishableKey: string;
  /** Connections to the database at the same time. */
  readonly poolSize: number;
}

export interface SupabaseApi {
  /** Makes the `auth` schema; migrations come after it. */
  prepare(): Promise<void>;
  /** Serves on `127.0.0.1:port`; 0 picks a free port. Answers the port. */
  listen(port: number): Promise<number>;
  /** E-mails that would have been sent, newest last. */
  readonly mailbox: InMemoryEmailDriver;
  close(): Promise<void>;
}

export async function newPublishableKey(): Promise<string> {
  return (await generateApiKey('publishable')).key;
}

/** lite hands JSON arguments of functions over as text; its own serializer would make a JSON string of that. */
const json = (oid: number) => ({
  to: oid,
  from: [oid],
  serialize: (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value)),
  parse: (text: string) => JSON.parse(text),
});

export function createSupabaseApi(options: SupabaseApiOptions): SupabaseApi {
  const mailbox = new InMemoryEmailDriver();
  const connection = createPostgresConnection({
    url: options.databaseUrl,
    postgresOptions: {
      max: options.poolSize,
      onnotice: () => {},
      types: { json: json(114), jsonb: json(3802) },
    },
  });
  // Left to itself, lite grants ALL on every table to the API roles on its first request: that would undo the
  // column grants that keep envelopes unreadable. `active` tells it that this was done.
  Object.assign(connection, { rlsState: 'active' });
  const app = new App({
    connection,
    auth: {
      enabled: true,
      enable_signup: true,
      jwt_secret: options.jwtSecret,
      jwt_expiry: 3600,
      publishable_key: options.publishableKey,
      minimum_password_length: 10,
      email: { enable_signup: true, enable_confirmations: true },
    },
    options: { server: { disableStudio: true, admin: false }, drivers: { email: mailbox } },
  });
  let server: ServerType | undefined;
  return {
    mailbox,
    prepare: () => app.ensureSystemSchema(),
    listen: (port) =>
      new Promise((resolve, reject) => {
        const fetch = async (request: Request) =>
          asPostgrest(await app.fetch(request, { peerAddress: null }));
        // Longer than callers keep a connection: one that is closed as it is used again loses a request.
        const serverOptions = { keepAliveTimeout: 75_000 };
        server = serve({ fetch, port, hostname: '127.0.0.1', serverOptions }, (info: AddressInfo) =>
          resolve(info.port),
        );
        server.once('error', reject);
      }),
    async close() {
      if (server && 'closeAllConnections' in server) server.closeAllConnections();
      await new Promise((done) => (server ? server.close(done) : done(undefined)));
      await connection.close();
    },
  };
}
