/** The real Worker, the real database, a proxy between them, and households to test with. */
import postgres from 'postgres';
import { expect, inject } from 'vitest';
import { MASTER_KEY, settings } from '../support/api.ts';
import { opened, stored } from '../support/bots.ts';
import { violationsOf } from '../support/invariants.ts';
import { textsOf } from '../support/private-keys.ts';
import { recordText } from '../support/recorder.ts';
import { request } from '../support/worker.ts';
import { bundle, type Served, serve } from '../support/workerd.ts';
import { type Household, type Kind, newHousehold, type State, stateOf } from './kinds.ts';
import { type DatabaseProxy, startProxy } from './proxy.ts';

export interface Scene {
  readonly worker: Served;
  readonly proxy: DatabaseProxy;
  /** A connection as the owner of the tables. */
  readonly sql: postgres.Sql;
  ask(kind: Kind, household: Household): ReturnType<typeof request>;
  /** Asserts that the invariants hold, and that every stored envelope opens to a key that this client submitted. */
  expectWhole(household: Household): Promise<void>;
  end(): Promise<void>;
}

/** In front of the API that all tests share, or of another one. */
export async function startScene(api = inject('supabaseUrl')): Promise<Scene> {
  const sql = postgres(inject('databaseUrl'), { max: 4, onnotice: () => {} });
  const proxy = await startProxy(new URL(api));
  const built = await bundle('test/faults/impatient-worker.ts');
  const worker = await serve(built, { ...settings(), SUPABASE_URL: proxy.url });
  return {
    worker,
    proxy,
    sql,
    ask: (kind, household) =>
      request(
        worker.url,
        kind.line(household),
        kind.asRunner ? household.machineToken : household.token,
        kind.body?.(household),
      ),
    async expectWhole(household) {
      expect(await violationsOf(sql, [household.clientId])).toEqual([]);
      const { trading, wallets } = await stored(household);
      const submitted = [household.key, household.nextKey];
      for (const row of [...(trading ? [trading] : []), ...wallets]) {
        if (row.encrypted_key === null) continue;
        const key = submitted.find(({ address }) => address === row.address);
        expect(await opened(household, row)).toEqual(key?.secret);
      }
    },
    async end() {
      await worker.stop();
      recordText(worker.output());
      built.remove();
      await proxy.close();
      await sql.end();
    },
  };
}

/** A household in which one kind of call meets a fault. */
export interface Case {
  readonly kind: Kind;
  readonly household: Household;
  readonly before: State;
}

export async function casesOf(kinds: readonly Kind[]): Promise<Case[]> {
  return Promise.all(
    kinds.map(async (kind) => {
      const household = await newHousehold();
      return { kind, household, before: await stateOf(household) };
    }),
  );
}

/** The state of the database after the call was executed. */
export const changed = ({ kind, household, before }: Case): State => ({
  ...before,
  ...kind.change(before, household),
});

export function expectNothingSecret(text: string, { key, nextKey, token, machineToken }: Household): void {
  for (const secret of [...textsOf(key), ...textsOf(nextKey), token, machineToken, MASTER_KEY, 'eyJ'])
    expect(text).not.toContain(secret);
}
