/** Lists that the database and the edge both have. `test/sdk/contract` compares those of the package with the edge. */
import postgres from 'postgres';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { KEY_EVENTS, KeyEvent } from '../../src/contract/audit.ts';
import { HEALTH_STATES } from '../../src/contract/bot-health.ts';
import { BotSummary } from '../../src/contract/bots.ts';
import { HeartbeatRequest } from '../../src/contract/runner.ts';
import { CHAINS } from '../../src/keys/index.ts';
import { COUNTED_FAILURES } from '../../src/services/signing-failures.ts';
import { SIGNING_KINDS } from '../../src/signing/index.ts';

let sql: postgres.Sql;
beforeAll(() => {
  sql = postgres(inject('databaseUrl'), { max: 1, onnotice: () => {} });
});
afterAll(() => sql.end({ timeout: 1 }));

const sorted = (list: Iterable<string>) => [...list].sort();

const LISTS: readonly (readonly [string, Iterable<string>])[] = [
  ['event_names', KEY_EVENTS],
  ['signing_kinds', SIGNING_KINDS],
  ['counted_failures', COUNTED_FAILURES],
  ['chain_families', CHAINS],
];

it.each(LISTS)('private.%s() returns the list of the edge', async (name, list) => {
  const [found] = await sql<{ list: string[] }[]>`select ${sql(`private.${name}`)}() as list`;
  expect(sorted(found?.list ?? [])).toEqual(sorted(list));
});

interface Definition {
  readonly name: string;
  readonly text: string;
}

const stringsIn = ({ text }: Definition) =>
  [...text.matchAll(/'([\w.]+)'/g)].map(([, string = '']) => string);

it.each<[string, Iterable<string>]>([
  ['an actor is a known one', KeyEvent.shape.actor.options],
  ['a state of health is a known one', HEALTH_STATES],
  ['a bot is stopped or running', BotSummary.shape.status.options],
  ['a reason to be stopped is a known one', BotSummary.shape.stop_reason.unwrap().options],
  ['a heartbeat says ok, degraded or failing', HeartbeatRequest.shape.status.options],
])('the constraint "%s" has the list of the edge', async (name, list) => {
  const found = await sql<Definition[]>`
    select conname as name, pg_get_constraintdef(oid) as text from pg_constraint where conname = ${name}`;
  expect(found.map((constraint) => sorted(stringsIn(constraint)))).toEqual([sorted(list)]);
});

it('only its function contains such a list: no constraint and no other function', async () => {
  const definitions = await sql<Definition[]>`
    select conname as name, pg_get_constraintdef(oid) as text from pg_constraint
    where connamespace in ('public'::regnamespace, 'private'::regnamespace)
    union all
    select proname, prosrc from pg_proc where pronamespace in ('public'::regnamespace, 'private'::regnamespace)`;
  const containing = (list: Iterable<string>) =>
    definitions.filter((definition) => [...list].every((item) => stringsIn(definition).includes(item)));
  expect(LISTS.map(([, list]) => containing(list).map(({ name }) => name))).toEqual(
    LISTS.map(([name]) => [name]),
  );
});
