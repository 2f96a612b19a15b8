/**
 * Reads the URL of a database and decides how the connection is encrypted. By default postgres.js connects without TLS.
 * So it never gets the URL itself, only the values that this module has read from it.
 */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isIP, isIPv4 } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { OperatorError } from './failure.ts';

export interface DatabaseAddress {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly password: string;
  readonly database: string;
  /** False means without TLS, which is allowed for loopback only. */
  readonly ssl: false | ConnectionOptions;
  readonly connectTimeoutSeconds: number;
  /** Parameters that are sent to the server when the session starts. */
  readonly session: Readonly<Record<string, string>>;
}

const KNOWN_PARAMETERS = ['sslmode', 'sslrootcert', 'connect_timeout', 'application_name', 'options'];

/** @param name the name of the setting, for messages. The value is never printed. */
export function parseDatabaseUrl(setting: string, name: string, env = process.env): DatabaseAddress {
  const url = URL.parse(setting);
  const reject = (why: string): never => {
    throw new OperatorError(`${name} ${why}`);
  };
  // An unescaped character in a password moves parts of it into the host, the database or the parameters.
  if (
    !url ||
    !/^postgres(?:ql)?:$/.test(url.protocol) ||
    url.hash !== '' ||
    url.username === '' ||
    !/^(?:[\w.-]+|\[[0-9a-f:.]+\])$/i.test(url.hostname) ||
    !/^\/[^/@:]*$/.test(url.pathname)
  ) {
    return reject(
      'is not a connection URL of the form postgresql://user:password@host:port/database. In a password, escape special characters: # as %23, / as %2F, ? as %3F, @ as %40.',
    );
  }
  const parameters = Object.fromEntries(url.searchParams);
  if (Object.keys(parameters).some((key) => !KNOWN_PARAMETERS.includes(key))) {
    return reject(`has an unknown parameter. The known ones are ${KNOWN_PARAMETERS.join(', ')}.`);
  }
  const { sslmode, sslrootcert, connect_timeout, ...session } = parameters;
  const connectTimeoutSeconds = Number(connect_timeout ?? 30);
  if (!(connectTimeoutSeconds >= 1 && connectTimeoutSeconds <= 300)) {
    return reject('has a connect_timeout that is not between 1 and 300 seconds.');
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  // As in libpq, settings of the environment apply if the URL does not have them.
  const rootCertificate = sslrootcert || env.PGSSLROOTCERT?.trim() || undefined;
  return {
    host,
    port: Number(url.port || 5432),
    username: decode(url.username) ?? reject('has a user name with a wrong escape.'),
    password: decode(url.password) ?? reject('has a password with a wrong escape: write % as %25.'),
    database: decode(url.pathname.slice(1)) || 'postgres',
    ssl: tlsOf(host, sslmode, rootCertificate, name),
    connectTimeoutSeconds,
    session,
  };
}

/** The parts of an address that may be printed. */
export const describeAddress = ({ username, host, port, database }: DatabaseAddress): string =>
  `${username}@${isIP(host) === 6 ? `[${host}]` : host}:${port}/${database}`;

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

function tlsOf(
  host: string,
  mode: string | undefined,
  rootCertificate: string | undefined,
  name: string,
): DatabaseAddress['ssl'] {
  switch (mode) {
    case undefined:
      return isLoopback(host) ? false : verified(host, rootCertificate);
    case 'verify-full':
      return verified(host, rootCertificate);
    case 'require':
      if (rootCertificate !== undefined) {
        throw new OperatorError(
          `${name} has sslmode=require, which does not verify the server, and a root certificate is set. Use sslmode=verify-full.`,
        );
      }
      return { rejectUnauthorized: false };
    case 'disable':
    case 'allow':
    case 'prefer':
      if (isLoopback(host)) return false;
      throw new OperatorError(
        `${name} has sslmode=${mode}, which allows an unencrypted connection to another host. Remove it (the default is verify-full), or use sslmode=require to encrypt without verifying the server.`,
      );
    default:
      throw new OperatorError(`${name} has an unknown sslmode. Use verify-full, or require.`);
  }
}

/** TLS like libpq's verify-full: the server has a certificate of a trusted CA for this host name or address. */
function verified(host: string, rootCertificate: string | undefined): ConnectionOptions {
  const ca =
    rootCertificate === undefined || rootCertificate === 'system'
      ? undefined
      : readCertificate(rootCertificate);
  return {
    rejectUnauthorized: true,
    // Without it, Node would compare the certificate with the name "localhost" if the host is an address.
    host,
    ...(isIP(host) === 0 && { servername: host }),
    ...(ca !== undefined && { ca }),
  };
}

function readCertificate(path: string): string {
  try {
    const pem = readFileSync(path, 'utf8');
    return new X509Certificate(pem) && pem;
  } catch {
    throw new OperatorError(
      `The root certificate cannot be read. sslrootcert and PGSSLROOTCERT take a file of PEM certificates, or "system".`,
    );
  }
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
