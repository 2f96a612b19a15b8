/** Tokens that try to choose the key or algorithm that verifies them (RFC 8725, sections 2.1, 3.1 and 3.10). */
import { exportJWK, exportSPKI, type JWTHeaderParameters, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { call } from '../support/api.ts';
import { newHostedProject, newSigningKey } from '../support/hosted-sessions.ts';
import { inSeconds, newClient } from '../support/people.ts';
import { expectProblem } from '../support/problems.ts';

const published = await newSigningKey('RS256');
const attackers = await newSigningKey('RS256');
const project = await newHostedProject([published]);
const victim = await newClient();
const claims = {
  sub: victim.userId,
  iss: project.issuer,
  aud: 'authenticated',
  role: 'authenticated',
  exp: inSeconds(3600),
};
const whoAmI = (token: string) => call('GET /clients/me', { token, env: project.settings });

it('GET /clients/me with a token of the published key -> 200', async () => {
  const answer = await whoAmI(await project.token(published, claims));
  expect([answer.status, answer.json.id]).toEqual([200, victim.clientId]);
});

describe('the public key as an HS256 secret', async () => {
  const pem = await exportSPKI(published.publicKey);
  it.each([
    ['its PEM', pem],
    ['its PEM without the last line break', pem.trim()],
    ['its JWK', JSON.stringify(published.jwk)],
    ['the modulus', published.jwk.n ?? ''],
    ['the whole key set', JSON.stringify({ keys: [published.jwk] })],
  ])('%s -> 401', async (_, secret) => {
    const token = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256', kid: published.jwk.kid ?? '' })
      .sign(new TextEncoder().encode(secret));
    expectProblem(await whoAmI(token), 401, 'token_invalid');
  });
});

describe('a key of the caller', async () => {
  const jwk = await exportJWK(attackers.publicKey);
  const elsewhere = `${project.issuer}/../../attacker/jwks.json`;
  const tricks: [string, Partial<JWTHeaderParameters> & Record<string, unknown>][] = [
    ['under the published kid', { kid: published.jwk.kid ?? '' }],
    ['in jwk', { jwk }],
    ['at jku', { jku: elsewhere, kid: attackers.jwk.kid ?? '' }],
    ['at x5u', { x5u: elsewhere }],
    ['in x5c', { x5c: ['MIIB'] }],
    ['under a kid that is a path', { kid: '../../../../../../dev/null' }],
    ['under a kid that is a URL', { kid: elsewhere }],
    ['under a kid that is SQL', { kid: "' union select 'key" }],
    ['under a very long kid', { kid: 'k'.repeat(4000) }],
    ['under no kid', { kid: undefined as never }],
    ['under a kid that is a number', { kid: 1 as never }],
    ['under a kid that is a list', { kid: [published.jwk.kid] as never }],
    ['under a kid that is __proto__', { kid: '__proto__' }],
  ];
  it.each(tricks)('%s -> 401', async (_, header) => {
    const signer = { ...attackers, jwk: {} };
    expectProblem(await whoAmI(await project.token(signer, claims, header)), 401, 'token_invalid');
  });
});

describe('the published key', () => {
  it('with a header that names another RSA algorithm -> 401', async () => {
    const [, payload = '', signature = ''] = (await project.token(published, claims)).split('.');
    const encode = (value: object) => btoa(JSON.stringify(value)).replaceAll('=', '');
    for (const alg of ['PS256', 'RS512', 'none', 'HS256', 'rs256', ['RS256']]) {
      const header = encode({ alg, kid: published.jwk.kid });
      expectProblem(await whoAmI(`${header}.${payload}.${signature}`), 401, 'token_invalid');
    }
  });

  it.each([
    ['another project as issuer', { iss: 'https://other.supabase.co/auth/v1' }],
    ['an issuer that only begins like this project', { iss: `${project.issuer}.example.test` }],
    ['no issuer', { iss: undefined }],
    ['another audience', { aud: 'other' }],
    ['the role service_role', { role: 'service_role' }],
    ['no subject', { sub: undefined }],
    ['no expiry', { exp: undefined }],
  ])('with %s -> 401', async (_, bent) => {
    expectProblem(await whoAmI(await project.token(published, { ...claims, ...bent })), 401, 'token_invalid');
  });

  it('with an expiry in the past -> 401 token_expired', async () => {
    expectProblem(
      await whoAmI(await project.token(published, { ...claims, exp: inSeconds(-60) })),
      401,
      'token_expired',
    );
  });
});
