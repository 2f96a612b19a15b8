/**
 * Makes lite use the same database roles as a hosted project, behind the one connection that lite knows: Supabase Auth
 * signs in as `supabase_auth_admin`, and PostgREST as `authenticator`. Requests of the REST API run with the limits of
 * their role, and errors have the statuses of PostgREST.
 */
import { createPostgresConnection, PostgresConnection } from '@supabase/lite/postgres';
import { asRole } from './bootstrap.ts';
import { asPostgrestError } from './errors.ts';
import { readTransactionSettings, type TransactionSettings } from './settings.ts';

type WithContext = PostgresConnection['withContext'];
type Introspection = ReturnType<PostgresConnection['introspect']>;
/** What lite knows about the caller. */
interface Caller {
  readonly auth?: { readonly role?: string; readonly jwt?: object | null };
}

const SEARCH_PATH = '"public", "extensions"';
const AUTH_POOL_SIZE = 4;
const IDLE_SECONDS = 10;
const CLOSE_SECONDS = 1;

/** lite passes JSON arguments of functions as text. The default serializer would encode this text again as a JSON string. */
const json = (oid: number) => ({
  to: oid,
  from: [oid],
  serialize: (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value)),
  parse: (text: string) => JSON.parse(text),
});

const optionsOf = (url: string, max: number, others: { idle_timeout?: number } = {}) => ({
  url,
  postgresOptions: { max, onnotice: () => {}, types: { json: json(114), jsonb: json(3802) }, ...others },
});

type Setting = readonly [name: string, value: string];

/** Settings that PostgREST had before version 9, and that lite still sets. */
const LEGACY: readonly Setting[] = [
  ['request.jwt.claim.sub', ''],
  ['request.jwt.claim.role', ''],
];

type Executor = Parameters<Parameters<WithContext>[1]>[0];

/** Applies settings until the end of the transaction. */
async function apply(db: Executor, settings: readonly Setting[]): Promise<void> {
  await db
    .selectNoFrom((of) =>
      settings.map(([setting, value], at) =>
        of.fn('set_config', [of.val(setting), of.val(value), of.lit(true)]).as(`setting_${at}`),
      ),
    )
    .execute();
}

/** The two statements of a call: settings, and one function. Their texts are few. */
const OF_A_CALL = /^select (set_config\(|\* from public\.\w+\()/;

/**
 * Makes the connections of lite prepare the statements of calls, as PostgREST does. Without it, PostgreSQL parses and plans
 * each one again, and is first asked for the types of its parameters.
 */
function prepareCalls(driver: PostgresConnection['driver']): void {
  const reserve = driver.reserve.bind(driver);
  Object.assign(driver, {
    async reserve() {
      const reserved = await reserve();
      const unsafe = reserved.unsafe.bind(reserved);
      reserved.unsafe = (text, values, options) =>
        unsafe(text, values, OF_A_CALL.test(text) ? { prepare: true, ...options } : options);
      return reserved;
    },
  });
}

export class HostedConnection extends PostgresConnection {
  readonly #rest: PostgresConnection;
  /** `information_schema` shows a role only what it can use. `authenticator` can use none of the tables. */
  readonly #catalog: PostgresConnection;
  #introspection: Introspection | undefined;
  #settings: TransactionSettings | undefined;
  #closed = false;

  constructor(databaseUrl: string, poolSize: number) {
    super(
      optionsOf(asRole(databaseUrl, 'supabase_auth_admin'), AUTH_POOL_SIZE, { idle_timeout: IDLE_SECONDS }),
    );
    this.#rest = createPostgresConnection(optionsOf(asRole(databaseUrl, 'authenticator'), poolSize));
    prepareCalls(this.#rest.driver);
    this.#catalog = createPostgresConnection(optionsOf(databaseUrl, 1, { idle_timeout: IDLE_SECONDS }));
    // Otherwise lite would replace the functions of Supabase Auth with its own.
    this.config.baseSchema = '';
    // By default, lite grants ALL on every table to the API roles at its first request. This would undo the column
    // grants that keep envelopes unreadable. `active` tells lite that it has done so already.
    Object.assign(this.#rest, { rlsState: 'active' });
  }

  /** Reads the settings from the catalog, now and after each `notify pgrst`, and caches them. */
  async watchCatalog(): Promise<void> {
    let reading = Promise.resolve();
    const read = () => {
      reading = this.#readCatalog();
      reading.catch((error: Error) => {
        if (!this.#closed) process.stderr.write(`The database catalog could not be read: ${error.message}\n`);
      });
    };
    // postgres.js calls the last argument each time it starts to listen, also after a restart of the server.
    await this.#catalog.driver.listen('pgrst', read, read);
    await reading;
  }

  async #readCatalog(): Promise<void> {
    this.#introspection = undefined;
    this.#settings = await readTransactionSettings(this.#catalog.driver);
  }

  override introspect(): Introspection {
    const running = this.#introspection ?? this.#catalog.introspect();
    this.#introspection = running;
    const forget = () => {
      if (this.#introspection === running) this.#introspection = undefined;
    };
    // If the database does not respond, lite returns an introspection without functions.
    running.then(({ functions }) => functions ?? forget(), forget);
    return running;
  }

  override async clearSchemaCache(): Promise<void> {
    this.#introspection = undefined;
  }

  /** lite calls this for each request to the REST API, and for nothing else. */
  override withContext: WithContext = (vars, run, options) => {
    const { transaction, forceRollback, rpc } = options ?? {};
    const { role = 'anon', jwt } = (vars as Caller | undefined)?.auth ?? {};
    const called = rpc && this.#settings?.ofFunction(rpc.path.replace('/rpc/', ''));
    const settings: Setting[] = [
      ['search_path', SEARCH_PATH],
      ...(this.#settings?.ofRole(role) ?? []),
      ['request.jwt.claims', JSON.stringify({ ...jwt, role })],
      ...(called?.settings ?? []),
    ];
    if (rpc) {
      settings.push(
        ['request.method', rpc.method],
        ['request.path', rpc.path],
        ['request.headers', JSON.stringify(rpc.requestHeaders ?? {})],
        ['response.status', ''],
        ['response.headers', ''],
      );
      if (rpc.readOnly || called?.readOnly) settings.push(['transaction_read_only', 'on']);
    }
    if (transaction || forceRollback) {
      // This case is rare. lite handles it and sets the role.
      return this.#rest.withContext(
        vars,
        (db) => apply(db, [...settings, ...LEGACY]).then(() => run(db)),
        options,
      );
    }
    // One statement, for speed. lite would send a dozen.
    return this.#rest.kysely.transaction().execute(async (db) => {
      await apply(db, [['role', role], ...settings]);
      return run(db);
    });
  };

  override viewOptionsMetadata(...args: Parameters<PostgresConnection['viewOptionsMetadata']>) {
    return this.#catalog.viewOptionsMetadata(...args);
  }

  override normalizeDbError(error: unknown): unknown {
    return asPostgrestError(error);
  }

  override async close(): Promise<void> {
    this.#closed = true;
    // Without a timeout, postgres.js waits forever if a transaction is running, even after the transaction has ended.
    const pools = [this, this.#rest, this.#catalog];
    await Promise.all(pools.map(({ driver }) => driver.end({ timeout: CLOSE_SECONDS })));
  }
}
