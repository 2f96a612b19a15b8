/** The Worker's process is killed in the middle of set-ups and rotations: each takes effect wholly or not at all. */
import { setTimeout as wait } from 'node:timers/promises';
import postgres from 'postgres';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { settings } from '../support/api.ts';
import { opened, stored } from '../support/bots.ts';
import { violationsOf } from '../support/invariants.ts';
import { type ClientPerson, newClient } from '../support/people.ts';
import { newEvmKey, type TestKey } from '../support/private-keys.ts';
import { recordText } from '../support/recorder.ts';
import { request } from '../support/worker.ts';
import { type Bundle, bundle, type Served, serve } from '../support/workerd.ts';

const ROUNDS = 4;
const CLIENTS = 6;

let built: Bundle;
let sql: postgres.Sql;

beforeAll(async () => {
  built = await bundle();
  sql = postgres(inject('databaseUrl'), { max: 2, onnotice: () => {} });
});

afterAll(async () => {
  built?.remove();
  await sql?.end();
});

interface Actor {
  readonly client: ClientPerson;
  readonly submitted: TestKey[];
  /** Keys whose submission got a response. */
  answered: number;
}

/** Sets up and rotates without a pause, until the Worker no longer responds. */
async function act({ url }: Served, actor: Actor): Promise<void> {
  const { client, submitted } = actor;
  for (;;) {
    const key = newEvmKey();
    submitted.push(key);
    const line =
      submitted.length === 1
        ? `POST /clients/${client.clientId}/setup-bot`
        : `PUT /clients/${client.clientId}/rotate-key`;
    const body = { private_key: key.privateKey, ...(submitted.length === 1 && { bot_type: 'evm-grid' }) };
    const answer = await request(url, line, client.token, body).catch(() => undefined);
    if (!answer) return;
    expect([200, 201]).toContain(answer.status);
    actor.answered += 1;
  }
}

test('SIGKILL in the middle of set-ups and rotations -> every client has its last acknowledged key, or the key in flight', async () => {
  for (let round = 0; round < ROUNDS; round++) {
    const worker = await serve(built, settings());
    const clients = await Promise.all(Array.from({ length: CLIENTS }, () => newClient()));
    const actors: Actor[] = clients.map((client) => ({ client, submitted: [], answered: 0 }));
    const acting = actors.map((actor) => act(worker, actor));
    // Some clients set up for the first time, some rotate already.
    await wait(round === 0 ? 30 : 200 + Math.random() * 600);
    await worker.stop('SIGKILL');
    await Promise.all(acting);
    recordText(worker.output());
    // Calls that had reached the database when the Worker died end there.
    await wait(500);

    expect(
      await violationsOf(
        sql,
        clients.map(({ clientId }) => clientId),
      ),
    ).toEqual([]);
    const again = await serve(built, settings());
    for (const { client, submitted, answered } of actors) {
      const { trading, wallets } = await stored(client);
      const possible = [submitted[answered - 1], submitted[answered]];
      expect(possible.map((key) => key?.address)).toContain(trading?.address);
      expect(wallets.length).toBe(trading ? 1 : 0);
      for (const row of trading ? [trading, ...wallets] : []) {
        const key = possible.find((one) => one?.address === row.address);
        expect(await opened(client, row)).toEqual(key?.secret);
      }
      // Submit the key without a response again: it becomes the current key.
      const last = submitted.at(-1);
      const line = `${trading ? 'PUT' : 'POST'} /clients/${client.clientId}/${trading ? 'rotate-key' : 'setup-bot'}`;
      const body = { private_key: last?.privateKey, ...(!trading && { bot_type: 'evm-grid' }) };
      expect([200, 201]).toContain((await request(again.url, line, client.token, body)).status);
      expect((await stored(client)).trading?.address).toBe(last?.address);
    }
    await again.stop();
    recordText(again.output());
  }
});
