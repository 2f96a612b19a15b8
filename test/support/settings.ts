/** The settings of a deployment, for the stack of the test. */
import { inject } from 'vitest';
import type { Bindings } from '../../src/env.ts';

/** A master key for tests only: 32 random bytes of this run. */
export const MASTER_KEY = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32))));

/** The seed of an audit key, also random. */
export const AUDIT_KEY = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32))));

type Needed = 'SUPABASE_URL' | 'SUPABASE_PUBLISHABLE_KEY' | 'SUPABASE_JWT_SECRET' | 'EDGE_TOKEN';

export const settings = (): Record<'ENCRYPTION_KEY', string> &
  Required<Pick<Bindings, Needed | 'AUDIT_SIGNING_KEY'>> => ({
  SUPABASE_URL: inject('supabaseUrl'),
  SUPABASE_PUBLISHABLE_KEY: inject('publishableKey'),
  SUPABASE_JWT_SECRET: inject('jwtSecret'),
  EDGE_TOKEN: inject('edgeToken'),
  ENCRYPTION_KEY: MASTER_KEY,
  AUDIT_SIGNING_KEY: AUDIT_KEY,
});
