/** A superuser changes a chain with the triggers off. The client always finds the first row that does not fit. */
import type postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ChainVerdict, type MisfitReason, verifyChain } from '../../src/sdk/audit.ts';
import type { KeyEvent } from '../../src/sdk/types.ts';
import { asAuditClient, checkpoint, rehash, rowsOf, Superuser, signedHead } from '../support/audit.ts';
import type { Client } from '../support/rows.ts';
import { newChain } from './new-chain.ts';
import { Sessions } from './sessions.ts';

const sessions = new Sessions();
const superuser = new Superuser();
let client: Client;
let rows: KeyEvent[];
/** In the middle: neither the first row nor the last. */
let at: number;

beforeAll(async () => {
  client = await newChain(sessions);
  rows = await rowsOf(sessions.sql, client);
  at = rows.findIndex(({ event }) => event === 'key_released') + 2;
});
afterAll(() => Promise.all([sessions.end(), superuser.end()]));

type Options = Parameters<typeof verifyChain>[2];
const verify = (sql: postgres.ISql, options?: Options, pageSize = 3): Promise<ChainVerdict> =>
  verifyChain(asAuditClient(sql, client, pageSize), client.clientId, options);

describe('an unchanged chain', () => {
  it.each([1, 2, 3, 100])('is valid, in pages of %i', async (pageSize) => {
    const seen: number[] = [];
    const {
      misfit,
      rows: count,
      head,
    } = await superuser.tampering(
      async () => {},
      (sql) => verify(sql, { onRow: ({ seq }) => seen.push(seq) }, pageSize),
    );
    expect([misfit, count]).toEqual([null, rows.length]);
    expect(head).toEqual({ seq: rows.length, hash: rows.at(-1)?.hash });
    expect(seen).toEqual(rows.map(({ seq }) => seq));
  });

  it('agrees with its checkpoints and with every head that was kept', async () => {
    const verdict = await superuser.tampering(
      (sql) => checkpoint(sql, client),
      async (sql) =>
        verify(sql, { known: [...rows, await signedHead(client, rows[1] ?? rows[0] ?? raise())] }),
    );
    expect(verdict).toMatchObject({ misfit: null, checkpoints: 2 });
  });

  it('of a client without further events contains its creation', async () => {
    const nobody = await sessions.newClient();
    const seen: unknown[] = [];
    const onRow = ({ event, actor }: KeyEvent) => seen.push([event, actor]);
    const verdict = await superuser.tampering(
      async () => {},
      (sql) => verifyChain(asAuditClient(sql, nobody), nobody.clientId, { onRow }),
    );
    expect(verdict).toMatchObject({ misfit: null, rows: 1, checkpoints: 0 });
    expect(seen).toEqual([['client_created', 'operator']]);
  });

  it('without a row is valid and has no head', async () => {
    const nobody = await sessions.newClient();
    expect(
      await superuser.tampering(
        (sql) => sql`delete from private.queued_key_events where client_id = ${nobody.clientId}`,
        (sql) => verifyChain(asAuditClient(sql, nobody), nobody.clientId),
      ),
    ).toEqual({ misfit: null, rows: 0, head: null, checkpoints: 0 });
  });
});

type Change = (sql: postgres.TransactionSql) => Promise<unknown>;
const id = (offset = 0) => rows[at - 1 + offset]?.id ?? raise();
const set = (column: string, value: string): [string, Change] => [
  `${column} = ${value}`,
  (sql) => sql.unsafe(`update public.key_events set ${column} = ${value} where id = '${id()}'`),
];
const otherHash = "sha256('other')";

describe('a changed row', () => {
  it.each([
    set('event', "'key_rewrapped'"),
    set('actor', "'admin'"),
    set('actor_id', 'gen_random_uuid()'),
    set('request_id', "'another'"),
    set('bot_id', 'gen_random_uuid()'),
    set('bot_id', 'null'),
    set('address', "'0x0'"),
    set('chain', "'solana'"),
    set('key_id', 'gen_random_uuid()'),
    set('key_version', '7'),
    set('detail', 'detail || \'{"digest": "00"}\''),
    set('detail', 'null'),
    set('created_at', "created_at + interval '1 millisecond'"),
    set('id', 'gen_random_uuid()'),
    set('hash', otherHash),
  ])('%s -> found at that row', async (_, change) => {
    const { misfit, rows: count } = await superuser.tampering(change, (sql) => verify(sql));
    expect([misfit?.seq, misfit?.reason, count]).toEqual([at, 'wrong_hash', at - 1]);
  });

  it.each<[string, string, MisfitReason]>([
    ['signatures', 'signatures + 1', 'wrong_hash'],
    ['previous_hash', otherHash, 'wrong_previous'],
  ])('%s = %s -> found at that row', async (column, value, reason) => {
    const { misfit } = await superuser.tampering(set(column, value)[1], (sql) => verify(sql));
    expect([misfit?.seq, misfit?.reason]).toEqual([at, reason]);
  });

  it.each(['first', 'last'])('that is the %s row -> found at that row', async (place) => {
    const row = (place === 'first' ? rows[0] : rows.at(-1)) ?? raise();
    const { misfit } = await superuser.tampering(
      (sql) => sql`update public.key_events set actor = 'admin' where id = ${row.id}`,
      (sql) => verify(sql),
    );
    expect(misfit).toEqual({ seq: row.seq, id: row.id, reason: 'wrong_hash' });
  });

  it('with a recomputed hash -> found at the next row', async () => {
    const change: Change = (sql) => sql`
      update public.key_events set hash = sha256(convert_to(private.canonical_key_event(bent), 'UTF8')), actor = 'admin'
      from (select (jsonb_populate_record(events, '{"actor": "admin"}')).* from public.key_events as events where id = ${id()}) as bent
      where key_events.id = ${id()} and key_events.client_id = bent.client_id`;
    const { misfit } = await superuser.tampering(change, (sql) => verify(sql));
    expect(misfit).toEqual({ seq: at + 1, id: id(1), reason: 'wrong_previous' });
  });
});

describe('rows', () => {
  const renumber = (sql: postgres.TransactionSql, by: number, from: number) =>
    // In three steps with temporary sequence numbers: two rows may never have the same number.
    sql
      .unsafe(`update public.key_events set seq = 1000 + seq + ${by} where client_id = '${client.clientId}' and seq >= ${from};
        update public.key_events set seq = seq - 1000 where client_id = '${client.clientId}' and seq > 1000`)
      .simple();

  it.each<[string, number, MisfitReason, Change]>([
    ['dropped', 1, 'gap', (sql) => sql`delete from public.key_events where id = ${id()}`],
    [
      'removed at the beginning',
      -1,
      'gap',
      (sql) => sql`delete from public.key_events where client_id = ${client.clientId} and seq < ${at - 1}`,
    ],
    [
      'removed, with the later rows renumbered',
      0,
      'wrong_previous',
      async (sql) => {
        await sql`delete from public.key_events where id = ${id()}`;
        await renumber(sql, -1, at);
      },
    ],
    [
      'inserted between others',
      0,
      'wrong_hash',
      async (sql) => {
        await renumber(sql, 1, at);
        await sql`insert into public.key_events
          select client_id, ${at}, gen_random_uuid(), event, bot_id, address, chain, key_id, key_version, actor_id, actor,
            request_id, detail, created_at, signatures, previous_hash, hash
          from public.key_events where id = ${id()}`;
      },
    ],
    [
      'moved',
      0,
      'wrong_previous',
      (sql) =>
        sql
          .unsafe(`update public.key_events set seq = seq + 1000 where id in ('${id()}', '${id(1)}');
            update public.key_events set seq = ${at + 1} where id = '${id()}';
            update public.key_events set seq = ${at} where id = '${id(1)}'`)
          .simple(),
    ],
  ])('that were %s -> found', async (_, offset, reason, change) => {
    const { misfit } = await superuser.tampering(change, (sql) => verify(sql));
    expect([misfit?.seq, misfit?.reason]).toEqual([at + offset, reason]);
  });

  const cutOff: Change = (sql) =>
    sql`delete from public.key_events where client_id = ${client.clientId} and seq > ${rows.length - 2}`;

  it('that were cut off at the end -> not found, if no head or checkpoint was kept', async () => {
    const verdict = await superuser.tampering(cutOff, (sql) => verify(sql));
    expect(verdict).toMatchObject({ misfit: null, rows: rows.length - 2 });
  });

  it.each([
    ['a head that is known', async () => rows.at(-1) ?? raise()],
    ['a checkpoint that was kept', () => signedHead(client, rows.at(-1) ?? raise())],
  ])('that were cut off at the end -> found by %s', async (_, known) => {
    const kept = await known();
    const { misfit } = await superuser.tampering(cutOff, (sql) => verify(sql, { known: [kept] }));
    expect(misfit).toEqual({ seq: rows.length, reason: 'truncated' });
  });

  it('that were cut off at the end -> found by a checkpoint that was left in the table', async () => {
    const change: Change = async (sql) => {
      await checkpoint(sql, client);
      await cutOff(sql);
    };
    const { misfit } = await superuser.tampering(change, (sql) => verify(sql));
    expect(misfit).toEqual({ seq: rows.length, reason: 'truncated' });
  });
});

describe('a chain that was rewritten with correct hashes', () => {
  /** Rewrites the chain as if one signature had never been given. */
  const rewrite: Change = async (sql) => {
    await sql`delete from public.key_events where id = ${id()}`;
    await rehash(sql, client);
  };

  it('is valid in itself', async () => {
    const verdict = await superuser.tampering(rewrite, (sql) => verify(sql));
    expect(verdict).toMatchObject({ misfit: null, rows: rows.length - 1 });
  });

  it('-> found by an earlier checkpoint', async () => {
    const change: Change = async (sql) => {
      await checkpoint(sql, client);
      await sql`insert into public.key_events
        select client_id, seq + 1, gen_random_uuid(), event, bot_id, address, chain, key_id, key_version, actor_id, actor,
          request_id, detail, created_at, signatures, hash, hash
        from public.key_events where client_id = ${client.clientId} order by seq desc limit 1`;
      await rewrite(sql);
    };
    const { misfit, rows: count } = await superuser.tampering(change, (sql) => verify(sql));
    expect([misfit?.seq, misfit?.reason, count]).toEqual([rows.length, 'checkpoint', rows.length - 1]);
  });

  it('with its checkpoints rewritten too -> found by a kept head or a kept checkpoint', async () => {
    for (const known of [rows[at] ?? raise(), await signedHead(client, rows[at] ?? raise())]) {
      const { misfit } = await superuser.tampering(rewrite, (sql) => verify(sql, { known: [known] }));
      expect([misfit?.seq, misfit?.reason]).toEqual([
        at + 1,
        typeof known === 'string' ? 'checkpoint' : 'known_head',
      ]);
    }
  });

  it('with checkpoints signed again by another key -> found by the signature', async () => {
    const change: Change = async (sql) => {
      const { jws, seq } = await checkpoint(sql, client);
      const [header, payload] = jws.split('.');
      const forged = [header, payload, Buffer.alloc(64).toString('base64url')].join('.');
      await sql`update public.audit_checkpoints set jws = ${forged} where client_id = ${client.clientId} and seq = ${seq}`;
    };
    const { misfit } = await superuser.tampering(change, (sql) => verify(sql));
    expect(misfit).toEqual({ seq: rows.length, reason: 'checkpoint_signature' });
  });
});

describe('a kept head or checkpoint', () => {
  const fits = (options: Options, id = client.clientId) =>
    superuser
      .tampering(
        async () => {},
        (sql) => verifyChain(asAuditClient(sql, client), id, options),
      )
      .then(({ misfit }) => misfit);

  it('that is not a checkpoint, or belongs to another client -> rejected', async () => {
    const stranger = await sessions.newClient();
    const row = rows[0] ?? raise();
    const betweenRows = await signedHead(client, { ...row, seq: 1.5 });
    for (const known of ['x.y.z', await signedHead(stranger, row), betweenRows]) {
      expect(await fits({ known: [known] })).toEqual({ seq: 0, reason: 'checkpoint_signature' });
    }
    expect(await fits({ known: [await signedHead(client, row)] })).toBeNull();
  });

  it('that none of the kept keys signed -> rejected, whatever the API returns', async () => {
    const known = [await signedHead(client, rows[0] ?? raise())];
    expect(await fits({ known, keys: { keys: [] } })).toEqual({ seq: 0, reason: 'checkpoint_signature' });
  });

  it('with a sequence number that no row has -> found', async () => {
    const { hash } = rows[0] ?? raise();
    expect(await fits({ known: [{ seq: 0, hash }] })).toMatchObject({ seq: 0, reason: 'known_head' });
  });

  it('with the client id in capital letters -> valid', async () => {
    const known = [await signedHead(client, rows[0] ?? raise())];
    expect(await fits({ known }, client.clientId.toUpperCase())).toBeNull();
  });
});

function raise(): never {
  throw new TypeError('a value is missing');
}
