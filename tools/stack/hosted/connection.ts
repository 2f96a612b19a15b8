/**
 * The connections that a hosted project's parts have, behind the one that lite knows: Supabase Auth signs in as
 * `supabase_auth_admin`, PostgREST as `authenticator`. Requests of the REST API run with the role's limits, and errors leave
 * with the statuses of PostgREST.
 */
import { createPostgresConnection, PostgresConnection } from '@supabase/lite/postgres';
import { asRole } from './bootstrap.ts';
import { inWordsOfPostgrest } from './errors.ts';
import { readTransactionSettings, type TransactionSettings } from './settings.ts';

type WithContext = PostgresConnection['withContext'];
type Introspection = ReturnType<PostgresConnection['introspect']>;
/** What lite knows of the caller. */
interface Caller {
  readonly auth?: { readonly role?: string; readonly jwt?: object | null };
}

const SEARCH_PATH = '"public", "extensions"';
const AUTH_POOL_SIZE = 4;
const IDLE_SECONDS = 10;
const CLOSE_SECONDS = 1;

/** lite passes JSON arguments of functions as text. Its own serializer would make a JSON string of the text. */
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

/** Settings of PostgREST before version 9, which lite sets. */
const LEGACY: readonly Setting[] = [
  ['request.jwt.claim.sub', ''],
  ['request.jwt.claim.role', ''],
];

type Executor = Parameters<Parameters<WithContext>[1]>[0];

/** For the rest of the transaction. */
async function apply(db: Executor, settings: readonly Setting[]): Promise<void> {
  await db
    .selectNoFrom((of) =>
      settings.map(([setting, value], at) =>
        of.fn('set_config', [of.val(setting), of.val(value), of.lit(true)]).as(`setting_${at}`),
      ),
    )
    .execute();
}

export class HostedConnection extends PostgresConnection {
  readonly #rest: PostgresConnection;
  /** `information_schema` shows a role what it may use: of our tables `authenticator` may use none. */
  readonly #catalog: PostgresConnection;
  #introspection: Introspection | undefined;
  #settings: TransactionSettings | undefined;
  #closed = false;

  constructor(databaseUrl: string, poolSize: number) {
    super(
      optionsOf(asRole(databaseUrl, 'supabase_auth_admin'), AUTH_POOL_SIZE, { idle_timeout: IDLE_SECONDS }),
    );
    this.#rest = createPostgresConnection(optionsOf(asRole(databaseUrl, 'authenticator'), poolSize));
    this.#catalog = createPostgresConnection(optionsOf(databaseUrl, 1, { idle_timeout: IDLE_SECONDS }));
    // lite would replace the functions of Supabase Auth by its own.
    this.config.baseSchema = '';
    // Left to itself, lite grants ALL on every table to the API roles on its first request, which would undo the
    // column grants that keep envelopes unreadable. `active` means that lite has done so.
    Object.assign(this.#rest, { rlsState: 'active' });
  }

  /** Reads what is cached of the catalog, now and whenever `notify pgrst` announces a change. */
  async watchCatalog(): Promise<void> {
    let reading = Promise.resolve();
    const read = () => {
      reading = this.#readCatalog();
      reading.catch((error: Error) => {
        if (!this.#closed) process.stderr.write(`The catalog cannot be read: ${error.message}\n`);
      });
    };
    // postgres.js calls the last argument each time it listens: also after the server was restarted.
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
    // lite returns an introspection without functions if the database did not respond.
    running.then(({ functions }) => functions ?? forget(), forget);
    return running;
  }

  override async clearSchemaCache(): Promise<void> {
    this.#introspection = undefined;
  }

  /** lite calls this for each request of the REST API, and only for those. */
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
      // Rare, and left to lite, which takes the role.
      return this.#rest.withContext(
        vars,
        (db) => apply(db, [...settings, ...LEGACY]).then(() => run(db)),
        options,
      );
    }
    // One statement. lite would send a dozen.
    return this.#rest.kysely.transaction().execute(async (db) => {
      await apply(db, [['role', role], ...settings]);
      return run(db);
    });
  };

  override viewOptionsMetadata(...args: Parameters<PostgresConnection['viewOptionsMetadata']>) {
    return this.#catalog.viewOptionsMetadata(...args);
  }

  override normalizeDbError(error: unknown): unknown {
    return inWordsOfPostgrest(error);
  }

  override async close(): Promise<void> {
    this.#closed = true;
    // Without a limit postgres.js waits for ever if a transaction is running, also after the transaction has ended.
    const pools = [this, this.#rest, this.#catalog];
    await Promise.all(pools.map(({ driver }) => driver.end({ timeout: CLOSE_SECONDS })));
  }
}
