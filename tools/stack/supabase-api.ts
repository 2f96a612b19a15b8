/** The Supabase-compatible REST and Auth API, from `@supabase/lite`, in front of the embedded PostgreSQL. */
import type { AddressInfo } from 'node:net';
import { type ServerType, serve } from '@hono/node-server';
import { App, generateApiKey, InMemoryEmailDriver } from '@supabase/lite';
import { completeAuthTables } from './hosted/bootstrap.ts';
import { HostedConnection } from './hosted/connection.ts';

export interface SupabaseApiOptions {
  /** The connection URL for the role `postgres`. The other roles that sign in have the same password. */
  readonly databaseUrl: string;
  readonly jwtSecret: string;
  readonly publishableKey: string;
  /** The maximum number of concurrent connections of the REST API. */
  readonly poolSize: number;
}

export interface SupabaseApi {
  /** Creates the tables of Supabase Auth, which the migrations need. */
  prepare(): Promise<void>;
  /** Listens on `127.0.0.1:port`. 0 means a free port. Returns the port. */
  listen(port: number): Promise<number>;
  /** The e-mails that a real project would have sent, newest last. */
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
    // lite must not run the migrations or create their table.
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
        // Longer than callers keep a connection open. If the server closes a connection that a caller reuses at that
        // moment, the request is lost.
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
