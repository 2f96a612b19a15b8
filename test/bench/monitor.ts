/** `npm run bench:monitor`: how long a round of the monitor takes, by the number of bots, on the embedded PostgreSQL. */
import { randomUUID } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { hashOfMachineToken, newMachineToken } from '../../src/machine-token.ts';
import { readOptions } from '../../tools/operator/command.ts';
import { removePostgres } from '../../tools/stack/postgres.ts';
import { startStack } from '../../tools/stack/stack.ts';
import { sealedWallet } from '../support/sealed-wallet.ts';

const SIZES = [1_000, 10_000, 20_000];
const REPETITIONS = 7;
const CHUNK = 1_000;

readOptions(
  'Usage: npm run bench:monitor\n\nMeasures a round of the monitor by the number of bots. It has no options.',
  {},
);
const say = (line: string) => process.stdout.write(`${line}\n`);

const directory = mkdtempSync(join(tmpdir(), 'trading-keys-bench-'));
chmodSync(directory, 0o755);
const stack = await startStack({ directory, supabasePort: 0, durable: true });
// Bots are inserted as the superuser, with the triggers off as on a replica. The monitor does not depend on the triggers.
const sql = postgres(stack.superuserUrl, { max: 1, onnotice: () => {} });
try {
  const token = newMachineToken();
  // Otherwise a call within ten seconds of the last round does nothing.
  await sql`update private.monitor_settings set round_pause = '0' where only_row`;
  await sql`insert into public.machine_tokens (name, scope, token_hash)
    values ('bench', 'monitor', decode(${hashOfMachineToken(token)}, 'hex'))`;
  say(
    'Milliseconds in the database: for a round through all bots, and for the longest of its batches of 5,000. In brackets: the round as a multiple of the round of 1,000 bots.',
  );
  say(
    '| bots | all change | 1 in 100 changes: round | longest batch | none changes: round | longest batch |',
  );
  say('|---|---|---|---|---|---|');
  let bots = 0;
  let smallest: readonly number[] | undefined;
  for (const size of SIZES) {
    for (; bots < size; bots += CHUNK) await makeBots(CHUNK);
    await sql`delete from public.bot_health_logs`;
    await sql`vacuum analyze`;
    const first = await round(token);
    await sql`vacuum analyze public.bot_health_logs`;
    const some = await repeated(token, () => flip(size / 100));
    const none = await repeated(token, async () => {});
    const totals = [first.total, some.total, none.total];
    smallest ??= totals;
    const [all, few, no] = totals.map((total, n) => inMultiples(total, smallest?.[n]));
    say(
      `| ${[size.toLocaleString('en'), all, few, some.longest.toFixed(1), no, none.longest.toFixed(1)].join(' | ')} |`,
    );
  }
} finally {
  await sql.end();
  await stack.stop();
  removePostgres(join(directory, 'postgres'));
  rmSync(directory, { recursive: true, force: true });
}

/** Clients with a trading key, a running bot that sends heartbeats, and ten reservations each. */
async function makeBots(count: number): Promise<void> {
  const rows = Array.from({ length: count }, () => {
    const client_id = randomUUID();
    return { client_id, bot_id: randomUUID(), ...sealedWallet(client_id) };
  });
  await sql.begin(async (transaction) => {
    await transaction`set local session_replication_role = replica`;
    await transaction`create temporary table made on commit drop as
      select * from jsonb_to_recordset(${sql.json(rows)}) as made (
        client_id uuid, bot_id uuid, address text, chain text, key_id uuid, encrypted_key text)`;
    await transaction`insert into public.clients (id, name, email, key_version)
      select client_id, 'A client', client_id || '@bench.test', 1 from made`;
    await transaction`insert into public.trading_keys (client_id, address, chain, key_id, encrypted_key, version)
      select client_id, address, chain, key_id, encrypted_key, 1 from made`;
    await transaction`insert into public.bots (id, client_id, bot_type, name, status, stop_reason, started_at)
      select bot_id, client_id, 'evm-grid', 'A bot', 'running', null, now() - interval '1 day' from made`;
    await transaction`insert into public.bot_wallets (bot_id, client_id, address, chain, key_id, encrypted_key)
      select bot_id, client_id, address, chain, key_id, encrypted_key from made`;
    await transaction`insert into public.bot_heartbeats (bot_id, client_id, status, metrics, beat_at)
      select bot_id, client_id, 'ok', '{"open_orders": 3, "latency_ms": 41}', now() + interval '1 hour' from made`;
    await transaction`insert into public.value_reservations (bot_id, client_id, value)
      select bot_id, client_id, 1 from made, generate_series(1, 10)`;
  });
}

/** Bots whose runner now reports a different state. */
async function flip(count: number): Promise<void> {
  await sql`update public.bot_heartbeats set status = case status when 'ok' then 'failing' else 'ok' end
    where bot_id in (select id from public.bots order by id limit ${count})`;
}

function inMultiples(total: number, smallest = total): string {
  return `${total.toFixed(1)} (${(total / smallest).toFixed(1)}x)`;
}

async function round(token: string): Promise<{ total: number; longest: number }> {
  let total = 0;
  let longest = 0;
  for (;;) {
    const [row] = await sql<[{ said: { complete: boolean; database_ms: number } }]>`
      select public.monitor_bots(${token}) as said`;
    total += row.said.database_ms;
    longest = Math.max(longest, row.said.database_ms);
    if (row.said.complete) return { total, longest };
  }
}

/** Medians. */
async function repeated(token: string, change: () => Promise<void>) {
  const rounds: { total: number; longest: number }[] = [];
  for (let i = 0; i < REPETITIONS; i++) {
    await change();
    rounds.push(await round(token));
  }
  const median = (of: (each: { total: number; longest: number }) => number) =>
    rounds.map(of).sort((one, other) => one - other)[REPETITIONS >> 1] ?? Number.NaN;
  return { total: median(({ total }) => total), longest: median(({ longest }) => longest) };
}
