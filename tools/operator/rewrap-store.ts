import type { Sql } from 'postgres';
import type { RewrapOutcome, RewrappedKey, RewrapStore, SealedKey } from '../../src/database/as-rewrapper.ts';

/** The rewrap for the owner of the database. It calls the private functions directly, so it needs no machine token. */
export function rewrapStore(sql: Sql, target: string): RewrapStore {
  let after = {
    client_id: '00000000-0000-0000-0000-000000000000',
    key_id: '00000000-0000-0000-0000-000000000000',
  };
  return {
    async next(masterKeyIds, batch) {
      const items = await sql<SealedKey[]>`
        select client_id, chain, address, key_id, encrypted_key
        from private.envelopes_to_rewrap(
          ${target}, ${[...masterKeyIds]}::text[], ${after.client_id}, ${after.key_id}, ${batch})
        order by client_id, key_id`;
      after = items.at(-1) ?? after;
      return { items, last: items.length < batch };
    },
    async replace(rewrapped: readonly RewrappedKey[]) {
      const [row] = await sql<[{ outcomes: RewrapOutcome[] }]>`
        select private.rewrap(${target}, ${JSON.stringify(rewrapped)}::text::jsonb) as outcomes`;
      return row.outcomes;
    },
    async countLeft() {
      const [row] = await sql<[{ left: number }]>`select private.keys_to_rewrap(${target}) as left`;
      return row.left;
    },
  };
}
