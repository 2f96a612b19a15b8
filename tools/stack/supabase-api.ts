/** The Supabase-compatible REST and Auth API, from `@supabase/lite`, in front of the embedded PostgreSQL. */
import type { AddressInfo } from 'node:net';
import { type ServerType, serve } from '@hono/node-server';
import { App, generateApiKey, InMemoryEmailDriver } from '@supabase/lite';
import { completeAuthTables } from './hosted/bootstrap.ts';
import { HostedConnection } from './hosted/connection.ts';

export interface SupabaseApiOptions {
  /** Connection URL of the role `postgres`. The other roles that sign in have the same password. */
  readonly databaseUrl: string;
  readonly jwtSecret: string;
  readonly publishableKey: string;
  /** How many connections the REST API has at the same time. */
  readonly poolSize: number;
}

export interface SupabaseApi {
  /** Creates the tables of Supabase Auth, which the migrations refer to. */
  prepare(): Promise<void>;
  /** Serves on `127.0.0.1:port`; 0 picks a free port. Returns the port. */
  listen(port: number): Promise<number>;
  /** E-mails that would have been sent, newest last. */
  readonly mailbox: InMemoryEmailDriver;
  close(): Promise<void>;
}

export async function newPublishableKey(): Promise<string> {
  return (await generateApiKey('publishable')).key;
}

export function createSupabaseApi(options: SupabaseApiOptions): SupabaseApi {
  const mailbox = new InMemoryEmailDriver();
  const connection = new HostedConnection(options.databaseUrl, options.poolSize);
  const app = new App({
    connection,
    // The migrations and their table are not lite's.
    db: { migrations: { enabled: false } },
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
    async prepare() {
      await app.ensureSystemSchema();
      await completeAuthTables(options.databaseUrl);
    },
    async listen(port) {
      await connection.watchCatalog();
      return new Promise((resolve, reject) => {
        const fetch = (request: Request) => app.fetch(request, { peerAddress: null });
        // Longer than callers keep a connection: one that is closed as it is used again loses a request.
        const serverOptions = { keepAliveTimeout: 75_000 };
        server = serve({ fetch, port, hostname: '127.0.0.1', serverOptions }, (info: AddressInfo) =>
          resolve(info.port),
        );
        server.once('error', reject);
      });
    },
    async close() {
      if (server && 'closeAllConnections' in server) server.closeAllConnections();
      await new Promise((done) => (server ? server.close(done) : done(undefined)));
      await connection.close();
    },
  };
}
