/** Lists have pages, with a cursor that stays valid while rows are added. */
import { describe, expect, it } from 'vitest';
import { call } from '../support/api.ts';
import { create } from '../support/bots.ts';
import { newAdmin, newClient, operatorSql } from '../support/people.ts';
import { expectProblem } from '../support/problems.ts';

const [admin, client] = await Promise.all([newAdmin(), newClient()]);
const names = ['one', 'two', 'three', 'four', 'five'];
for (const name of names) await create(admin, client, { name });

const list = (query: string) => call(`GET /clients/${client.clientId}/bots${query}`, { token: client.token });
const namesOf = (items: { name: string }[]) => items.map(({ name }) => name);

describe('GET /clients/{id}/bots', () => {
  it('without a query -> all, newest first', async () => {
    const { json } = await list('');
    expect(namesOf(json.items)).toEqual([...names].reverse());
    expect(json.next_cursor).toBeNull();
  });

  it('with a limit -> pages without a gap, while bots are added', async () => {
    const first = await list('?limit=2');
    expect(namesOf(first.json.items)).toEqual(['five', 'four']);
    await create(admin, client, { name: 'six' });
    const second = await list(`?limit=2&cursor=${first.json.next_cursor}`);
    expect(namesOf(second.json.items)).toEqual(['three', 'two']);
    const third = await list(`?limit=2&cursor=${second.json.next_cursor}`);
    expect(namesOf(third.json.items)).toEqual(['one']);
    expect(third.json.next_cursor).toBeNull();
  });

  it('with a limit equal to the number of bots -> no next page', async () => {
    const other = await newClient();
    for (const name of ['a', 'b']) await create(admin, other, { name });
    const answer = await call(`GET /clients/${other.clientId}/bots?limit=2`, { token: other.token });
    expect([answer.json.items.length, answer.json.next_cursor]).toEqual([2, null]);
  });

  it('with a cursor older than every bot -> an empty page', async () => {
    const { json } = await list('?cursor=00000000-0000-7000-8000-000000000000');
    expect(json).toEqual({ items: [], next_cursor: null });
  });
});

describe('GET /clients/{id}/key-events with more than 512 KiB of events', () => {
  it('-> pages that end early, without a gap', async () => {
    const { clientId, token } = await newClient();
    // The largest detail that an event can have.
    await operatorSql(
      `insert into private.queued_key_events (client_id, event, actor, detail)
       select $1, 'policy_set', 'operator', jsonb_build_object('n', n, 'text', repeat('x', 16000))
       from generate_series(1, 90) as n`,
      [clientId],
    );
    const seqs: number[] = [];
    let cursor = '';
    for (let pages = 0; pages < 9; pages += 1) {
      const answer = await call(`GET /clients/${clientId}/key-events?limit=100${cursor}`, { token });
      expect(answer.text.length).toBeLessThan(600 * 1024);
      seqs.push(...answer.json.items.map(({ seq }: { seq: number }) => seq));
      if (answer.json.next_cursor === null) break;
      cursor = `&cursor=${answer.json.next_cursor}`;
    }
    // The first event of a chain is client_created.
    expect(seqs).toEqual(Array.from({ length: 91 }, (_, index) => 91 - index));
  });
});

describe.each(['/clients', `/clients/${client.clientId}/bots`])('GET %s', (path) => {
  it.each(['1', '100'])('?limit=%s -> 200', async (limit) => {
    expect((await call(`GET ${path}?limit=${limit}`, { token: client.token })).status).toBe(200);
  });

  it.each(['0', '101', '-1', '1.5', 'ten', '', 'NaN', 'Infinity', '1e9'])(
    '?limit=%s -> 422',
    async (limit) => {
      const answer = await call(`GET ${path}?limit=${limit}`, { token: client.token });
      expectProblem(answer, 422, 'validation_failed');
      expect(answer.json.errors[0].parameter).toBe('limit');
    },
  );

  it.each(['1', 'abc', '', "'%20or%201=1", 'null', '01a20567-9c9d-712c-b393'])(
    '?cursor=%s -> 422',
    async (cursor) => {
      const answer = await call(`GET ${path}?cursor=${cursor}`, { token: client.token });
      expectProblem(answer, 422, 'validation_failed');
      expect(answer.json.errors[0].parameter).toBe('cursor');
    },
  );

  it.each(['?limit=1&limit=2', '?offset=5', '?Limit=1', '?select=*'])('%s -> 422', async (query) => {
    expectProblem(await call(`GET ${path}${query}`, { token: client.token }), 422, 'validation_failed');
  });
});
