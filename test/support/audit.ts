/** The audit chain as its client sees it, and as a superuser, for whom no trigger fires, changes it. */
import postgres from 'postgres';
import { inject } from 'vitest';
import { type AuditKeys, parseAuditKeys, signHead } from '../../src/crypto/audit-key.ts';
import type { AuditClient } from '../../src/sdk/audit.ts';
import type { KeyEvent, KeyEventQuery, Page, SeqPageQuery } from '../../src/sdk/types.ts';
import type { Client } from './rows.ts';

export const keys: AuditKeys = await parseAuditKeys(btoa('an audit key for these tests 32b'), undefined);

/** The requests of the SDK, sent to the database's functions: as the client, in this connection or transaction. */
export function asAuditClient(sql: postgres.ISql, { userId }: Client, pageSize = 100): AuditClient {
  const list = async <Item>(
    name: string,
    clientId: string,
    query: SeqPageQuery = {},
  ): Promise<Page<Item>> => {
    const claims = JSON.stringify({ sub: userId, role: 'authenticated' });
    const [row] = await sql.unsafe<[{ page: Page<Item> }]>(
      `select public.${name}(client_id => $1, page_size => $2, after => $3, oldest_first => $4) as page
       from (select set_config('request.jwt.claims', $5, true), set_config('request.jwt.claim.sub', $6, true)) as who`,
      [clientId, pageSize, query.cursor ?? null, query.order === 'oldest', claims, userId],
    );
    return row.page;
  };
  return {
    clients: {
      keyEvents: (id, query?: KeyEventQuery) => list('list_key_events', id, query),
      checkpoints: (id, query?: SeqPageQuery) => list('list_checkpoints', id, query),
    },
    audit: { keys: async () => ({ keys: [...keys.published] }) },
  };
}

export async function rowsOf(sql: postgres.ISql, client: Client): Promise<KeyEvent[]> {
  const [{ rows }] = await sql<[{ rows: KeyEvent[] }]>`
    select coalesce(jsonb_agg(private.key_event_json(key_events) order by seq), '[]') as rows
    from public.key_events where client_id = ${client.clientId}`;
  return rows;
}

export function signedHead(client: Client, { seq, hash }: { seq: number; hash: string }): Promise<string> {
  const head = { iss: 'https://project.test', client_id: client.clientId, seq, hash };
  return signHead(keys, { ...head, time: new Date().toISOString() });
}

/** Stores a checkpoint of the last row. */
export async function checkpoint(sql: postgres.ISql, client: Client): Promise<{ seq: number; jws: string }> {
  const last = (await rowsOf(sql, client)).at(-1);
  if (!last) throw new TypeError('no rows');
  const jws = await signedHead(client, last);
  await sql`insert into public.audit_checkpoints (client_id, seq, hash, jws)
    values (${client.clientId}, ${last.seq}, ${Buffer.from(last.hash, 'hex')}, ${jws})`;
  return { seq: last.seq, jws };
}

class Undo extends Error {}

export class Superuser {
  readonly sql = postgres(inject('superuserUrl'), { max: 2, onnotice: () => {} });

  end(): Promise<void> {
    return this.sql.end({ timeout: 1 });
  }

  /** Makes a forbidden change with every trigger, foreign key and unique index off, runs the check, and rolls back. */
  async tampering<T>(
    change: (sql: postgres.TransactionSql) => Promise<unknown>,
    look: (sql: postgres.TransactionSql) => Promise<T>,
  ): Promise<T> {
    let result: { value: T } | undefined;
    await this.sql
      .begin(async (sql) => {
        await sql`alter table public.key_events disable trigger all`;
        await sql`alter table public.audit_checkpoints disable trigger all`;
        await sql`set local session_replication_role = replica`;
        await change(sql);
        await sql`set local session_replication_role = origin`;
        result = { value: await look(sql) };
        throw new Undo();
      })
      .catch((error) => {
        if (!(error instanceof Undo)) throw error;
      });
    if (!result) throw new TypeError('the check did not run');
    return result.value;
  }
}

/** Recomputes every hash from the first row on, as a superuser would who knows the format. */
export async function rehash(sql: postgres.ISql, client: Client): Promise<void> {
  await sql`
    do $$
    declare
      row public.key_events;
      last bytea;
      counted bigint := 0;
      place bigint := 0;
    begin
      for row in select * from public.key_events where client_id = ${sql.unsafe(`'${client.clientId}'`)}::uuid order by seq loop
        place := place + 1;
        counted := counted + (row.event = 'key_released')::integer;
        row.seq := place;
        row.signatures := counted;
        row.previous_hash := last;
        row.hash := sha256(convert_to(private.canonical_key_event(row), 'UTF8'));
        update public.key_events set seq = row.seq, signatures = row.signatures, previous_hash = row.previous_hash,
          hash = row.hash where id = row.id;
        last := row.hash;
      end loop;
    end $$`.simple();
}
