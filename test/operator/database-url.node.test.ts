/** Which database URLs the operator's commands accept, and how each connection is encrypted. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeAddress, parseDatabaseUrl } from '../../tools/operator/database-url.ts';

const CA = join(import.meta.dirname, '..', 'vectors', 'tls', 'ca.pem');
const parse = (url: string, env: Record<string, string> = {}) => parseDatabaseUrl(url, 'DATABASE_URL', env);
const sslOf = (url: string, env?: Record<string, string>) => parse(url, env).ssl;
/** Characters outside ASCII would be hard to see in a message. */
const PASSWORD = 'secret-word';

describe('the encryption of a connection', () => {
  it.each(['127.0.0.1', '127.8.7.6', 'localhost', 'LOCALHOST', '[::1]'])('%s: without TLS', (host) => {
    for (const mode of ['', '?sslmode=disable', '?sslmode=prefer', '?sslmode=allow']) {
      expect([mode, sslOf(`postgresql://u:p@${host}:1/x${mode}`)]).toEqual([mode, false]);
    }
  });

  // The last ones only look like loopback; 127.1 and 0x7f.1 are notations that some resolvers accept.
  it.each([
    'db.example.com',
    '10.0.0.1',
    '[2001:db8::1]',
    '0.0.0.0',
    '127.0.0.1.example.com',
    'localhost.example.com',
    '127.0.0.256',
    '127.1',
    '0x7f.1',
    'localhost.',
  ])('%s: TLS with verification of the certificate and its host name', (host) => {
    const name = host.replace(/[[\]]/g, '');
    for (const mode of ['', '?sslmode=verify-full']) {
      expect(sslOf(`postgresql://u:p@${host}/x${mode}`)).toMatchObject({
        rejectUnauthorized: true,
        host: name,
      });
    }
    for (const mode of ['disable', 'allow', 'prefer']) {
      expect(() => sslOf(`postgresql://u:p@${host}/x?sslmode=${mode}`)).toThrow(`sslmode=${mode}`);
    }
  });

  it('a host name is sent as server name, an IP address is not', () => {
    expect(sslOf('postgresql://u:p@10.0.0.1/x')).not.toHaveProperty('servername');
    expect(sslOf('postgresql://u:p@db.example.com/x')).toMatchObject({ servername: 'db.example.com' });
  });

  it('sslmode=verify-full verifies on loopback too; require encrypts only', () => {
    expect(sslOf('postgresql://u:p@127.0.0.1/x?sslmode=verify-full')).toMatchObject({
      rejectUnauthorized: true,
    });
    expect(sslOf('postgresql://u:p@db.example.com/x?sslmode=require')).toEqual({ rejectUnauthorized: false });
  });

  it.each(['no-verify', 'verify-ca', 'true', 'false', '', 'DISABLE'])('sslmode=%s -> rejected', (mode) => {
    expect(() => sslOf(`postgresql://u:p@db.example.com/x?sslmode=${mode}`)).toThrow('unknown sslmode');
  });

  it('takes the CA from the URL, or from PGSSLROOTCERT if the URL has none', () => {
    const ca = { ca: expect.stringContaining('BEGIN CERTIFICATE') };
    expect(sslOf(`postgresql://u:p@db.example.com/x?sslrootcert=${encodeURIComponent(CA)}`)).toMatchObject(
      ca,
    );
    expect(sslOf('postgresql://u:p@db.example.com/x', { PGSSLROOTCERT: CA })).toMatchObject(ca);
    expect(
      sslOf('postgresql://u:p@db.example.com/x?sslrootcert=system', { PGSSLROOTCERT: CA }),
    ).not.toHaveProperty('ca');
    for (const file of ['/nowhere/ca.pem', import.meta.filename]) {
      expect(() => sslOf('postgresql://u:p@db.example.com/x', { PGSSLROOTCERT: file })).toThrow(
        'root certificate',
      );
    }
    expect(() => sslOf('postgresql://u:p@db.example.com/x?sslmode=require', { PGSSLROOTCERT: CA })).toThrow(
      'sslmode=verify-full',
    );
  });
});

describe('a URL', () => {
  it('is parsed with its escapes, its port and its parameters', () => {
    expect(
      parse(
        'postgres://po%40st:p%2Fa%25ss@Db.Example.com/?application_name=ops&options=reference%3Dabc&connect_timeout=5',
      ),
    ).toMatchObject({
      host: 'db.example.com',
      port: 5432,
      username: 'po@st',
      password: 'p/a%ss',
      database: 'postgres',
      connectTimeoutSeconds: 5,
      session: { application_name: 'ops', options: 'reference=abc' },
    });
    expect(parse('postgresql://u:p@h:6543/d%20b')).toMatchObject({ port: 6543, database: 'd b' });
  });

  it('is printed without its password', () => {
    expect(describeAddress(parse(`postgresql://u.ref:${PASSWORD}@h:6543/db`))).toBe('u.ref@h:6543/db');
    expect(describeAddress(parse(`postgresql://u:${PASSWORD}@[::1]/db`))).toBe('u@[::1]:5432/db');
  });

  it.each([
    PASSWORD,
    `https://u:${PASSWORD}@h/x`,
    `postgresql:///${PASSWORD}`,
    `postgresql://h/${PASSWORD}`,
    // Passwords with characters that are not escaped.
    `postgresql://u:12/${PASSWORD}@h/x`,
    `postgresql://u:a@${PASSWORD}/b@h/x`,
    `postgresql://u:12?${PASSWORD}@h/x`,
    `postgresql://u:12#${PASSWORD}@h/x`,
    `postgresql://u:a@h?${PASSWORD}@h/x`,
    `postgresql://u:a@h#${PASSWORD}@h/x`,
    `postgresql://u:%${PASSWORD}@h/x`,
    `postgresql://u:${PASSWORD}@one,two/x`,
    `postgresql://u:${PASSWORD}@one:1,two:2/x`,
    `postgresql://u:${PASSWORD}@/x`,
    `postgresql://u:${PASSWORD}@h/x?host=elsewhere`,
    `postgresql://u:${PASSWORD}@h/x?ssl=false`,
    `postgresql://u:p@h/x?${PASSWORD}=1`,
    `postgresql://u:${PASSWORD}@h/x?connect_timeout=0`,
    `postgresql://u:${PASSWORD}@h/x?sslmode=disable&sslmode=${PASSWORD}`,
  ])('%s -> rejected, and no part of it is printed', (url) => {
    const message = messageOf(() => parse(url));
    expect(message).toMatch(/^DATABASE_URL /);
    expect(message).not.toContain(PASSWORD);
  });
});

function messageOf(run: () => unknown): string {
  try {
    return JSON.stringify(run());
  } catch (error) {
    return String(error instanceof Error ? error.message : error);
  }
}
