/** The production bundle in plain workerd in front of an embedded stack, and clients whose keys it can open. */
import { SignJWT } from 'jose';
import { parseKeyring } from '../../src/crypto/keyring.ts';
import { sealKey } from '../../src/services/sealing.ts';
import { buildBundle } from '../support/bundle.ts';
import type { OwnStack } from '../support/own-stack.ts';
import type { Request } from './connection.ts';
import { type Household, newHouseholds } from './database-rows.ts';
import { newEvmKey, newSolanaKey } from './samples.ts';
import type { Sessions } from './sessions.ts';
import { Workerd } from './workerd.ts';

export function startService(
  stack: OwnStack,
  encryptionKey: string,
  supabaseUrl = stack.supabaseUrl,
): Promise<Workerd> {
  return Workerd.start(
    buildBundle(),
    {
      SUPABASE_URL: supabaseUrl,
      SUPABASE_PUBLISHABLE_KEY: stack.publishableKey,
      EDGE_TOKEN: stack.edgeToken,
      SUPABASE_JWT_SECRET: stack.jwtSecret,
      ENCRYPTION_KEY: encryptionKey,
    },
    '/health',
  );
}

/** A client with one running bot. */
export interface Home extends Household {
  readonly botId: string;
  /** A session of the client. */
  readonly session: string;
}

export async function newHomes(
  { owner }: Sessions,
  { jwtSecret }: OwnStack,
  encryptionKey: string,
  count: number,
  chain: 'evm' | 'solana' = 'evm',
): Promise<Home[]> {
  const keyring = await parseKeyring(encryptionKey);
  const privateKey = { evm: newEvmKey, solana: newSolanaKey }[chain];
  const households = await newHouseholds(owner, count, {
    bots: 1,
    botType: `${chain}-grid`,
    keyOf: (clientId) => sealKey({ private_key: privateKey(), chain }, clientId, async () => keyring),
  });
  return Promise.all(
    households.map(async (household) => ({
      ...household,
      botId: household.bots[0] ?? '',
      session: await sessionOf(household.userId, jwtSecret),
    })),
  );
}

export function sessionOf(userId: string, jwtSecret: string): Promise<string> {
  return new SignJWT({ sub: userId, role: 'authenticated', aud: 'authenticated' })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setIssuedAt()
    .setExpirationTime('6h')
    .sign(new TextEncoder().encode(jwtSecret));
}

export function requestBy(token: string, method: string, path: string, body?: object): Request {
  return {
    method,
    path,
    headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  };
}
