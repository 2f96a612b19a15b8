/** What a client of the audit chain finds in responses that our database would never give. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canonicalHash, type MisfitReason, verifyChain } from '../../src/sdk/audit.ts';
import type { KeyEvent } from '../../src/sdk/types.ts';
import { asAuditClient, keys, rowsOf, signedHead } from '../support/audit.ts';
import type { Client } from '../support/rows.ts';
import { newChain } from './new-chain.ts';
import { Sessions } from './sessions.ts';

const sessions = new Sessions();
let client: Client;
let rows: KeyEvent[];
/** In the middle: neither the first row nor the last. */
let at: number;

beforeAll(async () => {
  client = await newChain(sessions);
  rows = await rowsOf(sessions.sql, client);
  at = rows.findIndex(({ event }) => event === 'key_released') + 2;
});
afterAll(() => sessions.end());

describe('a database that returns rows which our constraints forbid', () => {
  /** Returns these rows as such a database would. */
  const answering = (items: KeyEvent[]) =>
    verifyChain(
      {
        clients: {
          keyEvents: async () => ({ items, next_cursor: null }),
          checkpoints: async () => ({ items: [], next_cursor: null }),
        },
        audit: { keys: async () => ({ keys: [] }) },
      },
      client.clientId,
    );
  const bent = (change: (row: KeyEvent) => KeyEvent[]) =>
    rows.flatMap((row) => (row.seq === at ? change(row) : [row]));

  it.each<[string, (row: KeyEvent) => KeyEvent[], number, MisfitReason]>([
    ['a row twice', (row) => [row, row], 0, 'fork'],
    ['two rows at one place', (row) => [row, { ...row, hash: '0'.repeat(64) }], 0, 'fork'],
    ["another client's row", (row) => [{ ...row, client_id: crypto.randomUUID() }], 0, 'wrong_client'],
    ['a number that is not an integer', (row) => [{ ...row, key_version: 1.5 }], 0, 'not_canonical'],
    ['an additional member', (row) => [{ ...row, more: null } as KeyEvent], 0, 'wrong_hash'],
  ])('%s -> found', async (_, change, offset, reason) => {
    const { misfit } = await answering(bent(change));
    expect([misfit?.seq, misfit?.reason]).toEqual([at + offset, reason]);
  });

  it('a number of signatures that is wrong in the first row, with a correct hash -> found', async () => {
    const { hash: _, ...last } = { ...(rows.at(-1) ?? raise()), signatures: 99 };
    const items = [...rows.slice(0, -1), { ...last, hash: await canonicalHash(last) }];
    expect((await answering(items)).misfit).toEqual({ seq: rows.length, id: last.id, reason: 'wrong_count' });
  });

  it('a sequence number that is a text, with a correct hash -> found', async () => {
    const { hash: _, ...first } = { ...(rows[0] ?? raise()), seq: '1' };
    const row = { ...first, hash: await canonicalHash(first) } as unknown as KeyEvent;
    expect((await answering([row])).misfit).toEqual({ seq: 1, id: row.id, reason: 'not_canonical' });
  });

  it('a row that is added and signed while the pages are read -> requested, and valid', async () => {
    const last = rows.at(-1) ?? raise();
    const item = {
      seq: last.seq,
      hash: last.hash,
      jws: await signedHead(client, last),
      created_at: last.created_at,
    };
    let asked = 0;
    const api = {
      clients: {
        keyEvents: async (_: string, query?: { cursor?: string | undefined }) => {
          const there = asked++ === 0 ? rows.slice(0, -1) : rows;
          return { items: there.filter(({ seq }) => seq > Number(query?.cursor ?? 0)), next_cursor: null };
        },
        checkpoints: async () => ({ items: [item], next_cursor: null }),
      },
      audit: { keys: async () => ({ keys: [...keys.published] }) },
    };
    expect(await verifyChain(api, client.clientId)).toMatchObject({
      misfit: null,
      rows: rows.length,
      checkpoints: 1,
    });
    expect(asked).toBe(2);
  });

  it('a checkpoint that is stored at another row than it names -> found', async () => {
    const [first, second] = [rows[0] ?? raise(), rows[1] ?? raise()];
    const item = {
      seq: 2,
      hash: second.hash,
      jws: await signedHead(client, first),
      created_at: first.created_at,
    };
    const api = {
      clients: {
        keyEvents: async () => ({ items: rows, next_cursor: null }),
        checkpoints: async () => ({ items: [item], next_cursor: null }),
      },
      audit: { keys: async () => ({ keys: [...keys.published] }) },
    };
    const { misfit } = await verifyChain(api, client.clientId);
    expect(misfit).toEqual({ seq: 2, reason: 'checkpoint_signature' });
  });

  it('a checkpoint that is stored after its row and names the hash of a later row -> found', async () => {
    const [first, second] = [rows[0] ?? raise(), rows[1] ?? raise()];
    const items = await Promise.all(
      [second, { ...first, hash: second.hash }].map(async (head) => ({
        seq: head.seq,
        hash: head.hash,
        jws: await signedHead(client, head),
        created_at: head.created_at,
      })),
    );
    const api = {
      clients: {
        keyEvents: async () => ({ items: rows, next_cursor: null }),
        checkpoints: async () => ({ items, next_cursor: null }),
      },
      audit: { keys: async () => ({ keys: [...keys.published] }) },
    };
    const { misfit } = await verifyChain(api, client.clientId);
    expect(misfit).toEqual({ seq: 1, id: second.id, reason: 'checkpoint' });
  });

  it.each([
    ['the same', () => '1'],
    ['one of two', (cursor = '1') => (cursor === '1' ? '2' : '1')],
    ['no number', (cursor = '') => `${cursor}x`],
    ['one further', (cursor = '0') => String(Number(cursor) + 1)],
  ])('pages whose cursor never advances: next is %s -> an error', async (_, next) => {
    const stuck = asAuditClient(sessions.sql, client);
    const forEver = <Item>(items: Item[]) => {
      let asked = 0;
      return async (_: string, query?: { cursor?: string | undefined }) => {
        asked += 1;
        return { items, next_cursor: asked > 10 ? null : next(query?.cursor) };
      };
    };
    const jws = await signedHead(client, rows[0] ?? raise());
    const checkpoint = { seq: 1, hash: rows[0]?.hash ?? '', jws, created_at: '2026-11-22T00:00:00.000Z' };
    for (const list of [
      { keyEvents: forEver<KeyEvent>([]) },
      { checkpoints: forEver([]) },
      { checkpoints: forEver([checkpoint]) },
    ]) {
      const api = { ...stuck, clients: { ...stuck.clients, ...list } };
      await expect(verifyChain(api, client.clientId)).rejects.toThrow(TypeError);
    }
  });
});

function raise(): never {
  throw new TypeError('a value is missing');
}
