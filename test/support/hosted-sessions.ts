/** A hosted project for one test, and the sessions that its Auth server would issue: see hosted-project.ts. */
import {
  exportJWK,
  generateKeyPair,
  type JWK,
  type JWTHeaderParameters,
  type JWTPayload,
  SignJWT,
} from 'jose';
import { inject } from 'vitest';
import type { Bindings } from '../../src/env.ts';
import type { Behaviour, Counts } from './hosted-project.ts';
import { inSeconds, type TokenClaims } from './people.ts';
import { settings } from './settings.ts';

export interface SigningKey {
  readonly alg: 'ES256' | 'RS256' | 'EdDSA';
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
  /** The public key as it is published, with a `kid`. */
  readonly jwk: JWK;
}

export interface HostedProject {
  /** Without a secret: only published keys verify. */
  readonly settings: Bindings;
  readonly issuer: string;
  set(change: Partial<Behaviour>): Promise<void>;
  counts(): Promise<Counts>;
  /** An access token. Claims and header can be changed. */
  token(key: SigningKey, claims: TokenClaims, header?: Partial<JWTHeaderParameters>): Promise<string>;
}

export async function newSigningKey(alg: SigningKey['alg']): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg);
  const jwk = { ...(await exportJWK(publicKey)), alg, use: 'sig', kid: crypto.randomUUID() };
  return { alg, privateKey, publicKey, jwk };
}

export async function newHostedProject(keys: readonly SigningKey[] = []): Promise<HostedProject> {
  const url = `${inject('hostedUrl')}/${crypto.randomUUID()}`;
  const issuer = `${url}/auth/v1`;
  let behaviour: Behaviour = { keys: keys.map(({ jwk }) => jwk), jwks: 'keys', rest: 'pass' };
  const project: HostedProject = {
    settings: {
      SUPABASE_URL: url,
      SUPABASE_PUBLISHABLE_KEY: inject('publishableKey'),
      EDGE_TOKEN: inject('edgeToken'),
      ENCRYPTION_KEY: settings().ENCRYPTION_KEY,
    },
    issuer,
    async set(change) {
      behaviour = { ...behaviour, ...change };
      const response = await fetch(url, { method: 'PUT', body: JSON.stringify(behaviour) });
      await response.text();
    },
    async counts() {
      const response = await fetch(url);
      return (await response.json()) as Counts;
    },
    token(key, claims, header) {
      const issued = { iss: issuer, aud: 'authenticated', role: 'authenticated', iat: inSeconds(-5) };
      return new SignJWT({ ...issued, exp: inSeconds(3600), ...(claims as JWTPayload) })
        .setProtectedHeader({ alg: key.alg, typ: 'JWT', ...(key.jwk.kid && { kid: key.jwk.kid }), ...header })
        .sign(key.privateKey);
    },
  };
  await project.set({});
  return project;
}
