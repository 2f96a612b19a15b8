/** Machine tokens for the edge and for cron jobs. Only the operator's SQL can issue them. */
import type { Sql } from 'postgres';
import { hashOfMachineToken, newMachineToken } from '../../src/machine-token.ts';

export interface NewCronToken {
  readonly scope: 'edge' | 'monitor' | 'rewrap';
  readonly name: string;
  /** Without it, the token is valid until it is revoked. */
  readonly expiresInSeconds?: number | undefined;
  /** For a token of the scope rewrap: the master key that envelopes move to. */
  readonly masterKeyId?: string | undefined;
}

export interface IssuedCronToken {
  readonly id: string;
  /** Show it once: the database stores only its hash. */
  readonly token: string;
  readonly expiresAt: Date | null;
}

export async function issueToken(sql: Sql, wanted: NewCronToken): Promise<IssuedCronToken> {
  const { scope, name, expiresInSeconds = null, masterKeyId = null } = wanted;
  const token = newMachineToken();
  const [issued] = await sql<[{ id: string; expires_at: Date | null }]>`
    insert into public.machine_tokens (scope, name, token_hash, master_key_id, expires_at)
    values (${scope}, ${name}, decode(${hashOfMachineToken(token)}, 'hex'), ${masterKeyId},
      now() + make_interval(secs => ${expiresInSeconds}::float8))
    returning id, expires_at`;
  return { id: issued.id, token, expiresAt: issued.expires_at };
}
