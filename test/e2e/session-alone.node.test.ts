/** A client without the Worker: its account, supabase-js, and the project's own API. */
import postgres from 'postgres';
import { afterAll, expect, inject, it } from 'vitest';
import { createClientAccount } from '../../tools/stack/accounts.ts';
import { signIn } from '../../tools/stack/session.ts';
import { Rows } from '../support/rows.ts';

const sql = postgres(inject('databaseUrl'), { max: 1, onnotice: () => {} });
const project = { supabaseUrl: inject('supabaseUrl'), publishableKey: inject('publishableKey') };
afterAll(() => sql.end());

it('a client revokes its own key, and no other key, with its session alone', async () => {
  const [anna, boris] = await Promise.all(
    ['Anna', 'Boris'].map((name) => createClientAccount(sql, name, `${crypto.randomUUID()}@example.test`)),
  );
  if (!anna || !boris) throw new TypeError('a value is missing');
  for (const client of [anna, boris]) await new Rows(sql).newKey(client);
  const { supabase } = await signIn(project, anna);

  const foreign = await supabase
    .from('trading_keys')
    .delete({ count: 'exact' })
    .eq('client_id', boris.clientId);
  expect(foreign).toMatchObject({ error: null, count: 0 });
  const own = await supabase.from('trading_keys').delete({ count: 'exact' }).eq('client_id', anna.clientId);
  expect(own).toMatchObject({ error: null, count: 1 });
  const left = await sql`select client_id from public.trading_keys
    where client_id in (${anna.clientId}, ${boris.clientId})`;
  expect(left.map((row) => row.client_id)).toEqual([boris.clientId]);
});
