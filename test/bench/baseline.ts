/**
 * The program that the service is compared with: FastAPI, asyncpg and Fernet in one process, with the database in the same
 * PostgreSQL server. Its code is in the folder `baseline`.
 */
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SignJWT } from 'jose';
import postgres from 'postgres';
import { freePort } from '../../tools/stack/ports.ts';
import { Connection, type Request } from './connection.ts';
import { endWithThisProcess } from './processes.ts';

const HOME = join(import.meta.dirname, 'baseline');
/** Debian's own Python, which has the packages of Debian. */
const PYTHON = '/usr/bin/python3';
const MODULES = 'fastapi, uvicorn, uvloop, httptools, asyncpg, cryptography, jwt';
export const PACKAGES =
  'python3-fastapi python3-uvicorn python3-uvloop python3-httptools python3-asyncpg python3-cryptography python3-jwt';

export const hasBaseline = (): boolean => spawnSync(PYTHON, ['-c', `import ${MODULES}`]).status === 0;

/** `rows`: a rotation updates one wallet after the other, each with its own ciphertext. `single`: one UPDATE, one ciphertext. */
export type RotateMode = 'rows' | 'single';

export interface BaselineApp {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

export interface BaselineBot {
  readonly clientId: string;
  readonly botId: string;
}

/** The database of the baseline, on the same server as the service's, and what its apps share. */
export class Baseline {
  readonly #sql: postgres.Sql;
  readonly #settings: Readonly<Record<string, string>>;
  readonly #apps: BaselineApp[] = [];
  readonly #authorization: string;
  /** Encrypted by the app itself. */
  #key = { encrypted: '', address: '' };

  private constructor(sql: postgres.Sql, settings: Readonly<Record<string, string>>, authorization: string) {
    this.#sql = sql;
    this.#settings = settings;
    this.#authorization = authorization;
  }

  static async create(superuserUrl: string): Promise<Baseline> {
    const url = new URL(superuserUrl);
    const server = postgres(superuserUrl, { max: 1, onnotice: () => {} });
    await server`create database baseline`;
    await server.end();
    url.pathname = '/baseline';
    const sql = postgres(url.href, { max: 4, onnotice: () => {} });
    await sql.unsafe(readFileSync(join(HOME, 'schema.sql'), 'utf8'));
    const secret = randomBytes(32).toString('hex');
    const token = await new SignJWT({ sub: 'bench' })
      .setProtectedHeader({ alg: 'HS256' })
      .setExpirationTime('6h')
      .sign(new TextEncoder().encode(secret));
    const fernet = `${randomBytes(32).toString('base64url')}=`;
    const settings = { DATABASE_URL: url.href, JWT_SECRET: secret, FERNET_KEY: fernet };
    return new Baseline(sql, settings, `Bearer ${token}`);
  }

  async start(mode: RotateMode): Promise<BaselineApp> {
    const port = await freePort();
    const child = spawn(
      PYTHON,
      ['-B', '-m', 'uvicorn', 'main:app', '--host', '127.0.0.1', '--port', `${port}`, '--loop', 'uvloop']
        .concat('--http', 'httptools')
        .concat('--no-access-log', '--log-level', 'warning'),
      { cwd: HOME, env: { ...this.#settings, ROTATE_MODE: mode }, stdio: ['ignore', 'ignore', 'inherit'] },
    );
    endWithThisProcess(child);
    const ended = new Promise((resolve) => child.once('exit', resolve));
    const app: BaselineApp = {
      url: `http://127.0.0.1:${port}`,
      pid: child.pid ?? 0,
      async stop() {
        child.kill();
        await ended;
      },
    };
    this.#apps.push(app);
    for (let attempt = 0; child.exitCode === null && attempt < 600; attempt++) {
      const connection = await Connection.open(app.url).catch(() => undefined);
      connection?.close();
      if (connection) return app;
      await sleep(50);
    }
    throw new Error('The baseline does not start.');
  }

  request(method: string, path: string, body?: object): Request {
    return {
      method,
      path,
      headers: { authorization: this.#authorization, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    };
  }

  /** Clients without a key. */
  async newClients(count: number): Promise<string[]> {
    const rows = await this.#sql<{ id: string }[]>`
      insert into clients (name) select 'A client' from generate_series(1, ${count}) returning id`;
    return rows.map(({ id }) => id);
  }

  /** Clients with a key and this many running bots, each with one wallet. Returns a bot of each. */
  async newKeyedClients(app: BaselineApp, count: number, bots: number): Promise<BaselineBot[]> {
    if (this.#key.encrypted === '') await this.#encryptKey(app);
    const { encrypted, address } = this.#key;
    const ids = await this.newClients(count);
    await this.#sql`insert into trading_keys (client_id, encrypted_key, wallet_address)
      select client_id, ${encrypted}, ${address} from unnest(${ids}::uuid[]) as client_id`;
    return this.#sql<BaselineBot[]>`
      with made as (
        insert into bots (client_id, name, bot_type, status)
        select client_id, 'A bot', 'volume', 'running'
        from unnest(${ids}::uuid[]) as client_id, generate_series(1, ${bots}) returning id, client_id),
      held as (
        insert into bot_wallets (bot_id, address, encrypted_key)
        select id, ${address}, ${encrypted} from made)
      select distinct on (client_id) client_id as "clientId", id as "botId" from made order by client_id`;
  }

  async #encryptKey(app: BaselineApp): Promise<void> {
    const [clientId] = await this.newClients(1);
    const address = `0x${randomBytes(20).toString('hex')}`;
    const body = { private_key: randomBytes(32).toString('hex'), address, bot_type: 'volume' };
    const connection = await Connection.open(app.url);
    const { status } = await connection.send(this.request('POST', `/clients/${clientId}/setup-bot`, body));
    connection.close();
    if (status !== 201) throw new Error(`The baseline returned ${status}`);
    const [row] = await this.#sql<
      [{ encrypted_key: string }]
    >`select encrypted_key from trading_keys limit 1`;
    this.#key = { encrypted: row.encrypted_key, address };
  }

  async end(): Promise<void> {
    await Promise.all(this.#apps.map((app) => app.stop()));
    await this.#sql.end({ timeout: 1 });
  }
}
