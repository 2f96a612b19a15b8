/**
 * Unexpected arguments and orders: calls every database function with arbitrary arguments directly at the REST API, then
 * sends valid requests to the API repeatedly and out of order. The invariants must hold after each run.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, call } from '../support/api.ts';
import { type ClientWithBot, newClientWithBot } from '../support/bots.ts';
import { violationsOf } from '../support/invariants.ts';
import type { ClientPerson } from '../support/people.ts';
import { type PeopledStack, startPeopledStack } from '../support/peopled-stack.ts';
import { newEvmKey } from '../support/private-keys.ts';
import { type ClientWithRunner, newClientWithRunner } from '../support/runners.ts';
import { sealedWallet } from '../support/sealed-wallet.ts';

interface Callable {
  readonly name: string;
  readonly args: readonly { readonly name: string; readonly type: string }[];
}

let stack: PeopledStack;
let anna: ClientWithBot;
let boris: ClientWithRunner;
let functions: readonly Callable[];
let ids: string[];

beforeAll(async () => {
  stack = await startPeopledStack();
  [anna, boris] = await Promise.all([newClientWithBot({ at: stack }), newClientWithRunner({ at: stack })]);
  ids = [anna.clientId, boris.clientId, anna.botId, boris.botId, boris.tokenId, boris.userId];
  functions = await stack.sql<Callable[]>`
    select p.proname as name, coalesce(json_agg(json_build_object('name', a.name, 'type', format_type(a.type, null)))
      filter (where a.name is not null), '[]') as args
    from pg_proc as p left join lateral unnest(p.proargnames, p.proargtypes::oid[]) as a (name, type) on a.type is not null
    where p.pronamespace = 'public'::regnamespace group by p.oid, p.proname order by p.proname`;
});
afterAll(() => stack.end());

const ask = (client: ClientPerson, line: string, body?: object): Promise<Answer> =>
  call(line, { token: client.token, env: stack.settings, ...(body && { body }) });

/** All rows of Boris, as one text. */
async function borissThings(): Promise<string> {
  const tables = await stack.sql<{ name: string }[]>`
    select c.oid::regclass::text as name from pg_class as c join pg_attribute as a on a.attrelid = c.oid
    where c.relnamespace in ('public'::regnamespace, 'private'::regnamespace) and c.relkind = 'r'
      and a.attname = 'client_id' order by 1`;
  const texts = tables.map(
    ({ name }) =>
      `select '${name}', md5(string_agg(t::text, '|' order by t::text)) from ${name} as t where client_id = $1`,
  );
  return JSON.stringify(await stack.sql.unsafe(texts.join(' union all '), [boris.clientId]));
}

/** Arguments for each type: often valid, often nearly valid, sometimes arbitrary. */
function argumentsByType(): Record<string, fc.Arbitrary<unknown>> {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 50 }),
    fc.constantFrom(
      '',
      'evm-grid',
      'evm',
      'solana',
      'ok',
      '0x00',
      'ab'.repeat(32),
      '__proto__',
      "' or true--",
      '\0',
      '\u202e',
    ),
  );
  const id = fc.oneof(
    { weight: 6, arbitrary: fc.nat({ max: 5 }).map((n) => ids[n]) },
    { weight: 1, arbitrary: fc.uuid() },
    { weight: 1, arbitrary: fc.constantFrom('', 'null', '{}', '00000000-0000-0000-0000-000000000000') },
  );
  const wallet = id.map((of) => sealedWallet(String(of)));
  const hash = fc.constantFrom('ab'.repeat(32), 'cd'.repeat(32), '');
  return {
    text,
    'text[]': fc.array(text, { maxLength: 3 }),
    uuid: id,
    'uuid[]': fc.array(id, { maxLength: 3 }),
    bigint: fc.oneof(
      fc.integer(),
      fc.constantFrom(0, -1, 1, '9223372036854775807', '9223372036854775808', 1e300),
    ),
    integer: fc.oneof(fc.integer(), fc.constantFrom(0, -1, 1, 2 ** 31, -(2 ** 31) - 1, 1.5, 1e300)),
    boolean: fc.boolean(),
    'timestamp with time zone': fc.constantFrom(
      '2999-01-01',
      'infinity',
      '-infinity',
      'now',
      'x',
      '294276-12-31',
      '4713-01-01 BC',
    ),
    jsonb: fc.oneof(
      wallet,
      fc.array(wallet, { maxLength: 2 }),
      wallet.chain((sealed) =>
        fc.constantFrom(...Object.keys(sealed)).map((member) => ({ ...sealed, [member]: null })),
      ),
      fc.constantFrom(
        {},
        [],
        null,
        'x',
        { kinds: ['x'] },
        { max_value: 'NaN' },
        { max_value: -1 },
        { max_value: '1e80' },
      ),
      fc.record({ key: hash, fingerprint: hash }),
      fc.constantFrom({ kind: 'evm.message', value: '0', digest: 'ab'.repeat(32), recipients: [] }),
      fc.jsonValue(),
    ),
  };
}

const orAnything = (good: fc.Arbitrary<unknown>) =>
  fc.oneof(
    { weight: 12, arbitrary: good },
    { weight: 1, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: fc.jsonValue() },
  );

describe('every function, called by a client with a session and by a caller without one', () => {
  it('changes no row of another client, breaks no invariant and always responds', async () => {
    const before = await borissThings();
    const envelopes = await stack.sql<
      { encrypted_key: string }[]
    >`select encrypted_key from public.trading_keys`;
    const byType = argumentsByType();
    const types = new Set(functions.flatMap(({ args }) => args.map(({ type }) => type)));
    expect([...types].filter((type) => !Object.hasOwn(byType, type))).toEqual([]);
    for (const { name, args } of functions) {
      const body = fc.record(
        Object.fromEntries(args.map((arg) => [arg.name, orAnything(byType[arg.type] ?? fc.constant(null))])),
      );
      await fc.assert(
        fc.asyncProperty(body, fc.boolean(), async (values, signedIn) => {
          const send = () =>
            fetch(`${stack.supabaseUrl}/rest/v1/rpc/${name}`, {
              method: 'POST',
              headers: {
                apikey: stack.publishableKey,
                'content-type': 'application/json',
                ...(signedIn && { authorization: `Bearer ${anna.token}` }),
              },
              body: JSON.stringify(values),
            });
          // An idle connection may be closed between two calls.
          const response = await send().catch(send);
          const text = await response.text();
          for (const { encrypted_key } of envelopes) expect(text).not.toContain(encrypted_key.slice(-40));
          if (!response.ok) expect(JSON.parse(text)).toHaveProperty('code');
        }),
        { numRuns: 25 },
      );
      expect([name, await violationsOf(stack.sql, [anna.clientId, boris.clientId])]).toEqual([name, []]);
    }
    expect(await borissThings()).toBe(before);
  });
});

describe('valid requests, repeated and out of order', () => {
  it('are each executed or rejected; the invariants hold; no signature is given without a current key', async () => {
    const client = await newClientWithRunner({ at: stack });
    const { botId: bot } = client;
    let token = client.machineToken;
    /** A revocation ends every token of the client. */
    let tokenEnded = false;
    const about = `/clients/${client.clientId}`;
    const rotation = { private_key: newEvmKey().privateKey };
    /** Recorded once, then sent again unchanged. */
    const requests: Record<string, () => Promise<Answer>> = {
      setUp: () => ask(client, `POST ${about}/setup-bot`, { bot_type: 'evm-grid', ...rotation }),
      copy: () => ask(client, `POST ${about}/setup-bot`, { bot_type: 'evm-grid' }),
      rotate: () => ask(client, `PUT ${about}/rotate-key`, rotation),
      another: () => ask(client, `PUT ${about}/rotate-key`, { private_key: newEvmKey().privateKey }),
      revoke: async () => {
        const answer = await ask(client, `DELETE ${about}/revoke-key`);
        tokenEnded ||= answer.status === 200;
        return answer;
      },
      issue: async () => {
        const answer = await ask(client, `POST /bots/${bot}/tokens`, { name: 'A runner' });
        token = answer.json.token;
        tokenEnded = false;
        return answer;
      },
      start: () => ask(client, `POST /bots/${bot}/start`),
      stop: () => ask(client, `POST /bots/${bot}/stop`),
      sign: () =>
        call(`POST /bots/${bot}/sign`, {
          token,
          env: stack.settings,
          body: { type: 'evm.message', message: 'x' },
        }),
    };
    const names = fc.array(fc.constantFrom(...Object.keys(requests)), { minLength: 2, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(names, async (order) => {
        for (const name of order) {
          const [held] = await stack.sql`select t.address, b.status from public.bots as b
            left join public.trading_keys as t using (client_id) where b.id = ${bot}`;
          const answer = await requests[name]?.();
          expect(answer?.status).toBeLessThan(500);
          if (name !== 'sign') continue;
          const signs = answer?.status === 200;
          expect(signs).toBe(!tokenEnded && held?.address !== null && held?.status === 'running');
          if (signs) expect(answer?.json.address).toBe(held?.address);
        }
        expect(await violationsOf(stack.sql, [client.clientId])).toEqual([]);
      }),
      { numRuns: 15 },
    );
  });
});
