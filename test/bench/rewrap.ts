/**
 * `npm run bench:rewrap`: moves 10,000 sealed keys to a new master key on an embedded stack of its own, first without and
 * then with traffic, and prints how many it moves a second. Ends with an error if any key or envelope is wrong afterwards.
 * `-- --keys N`; `-- --durable` keeps PostgreSQL's fsync on.
 */
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Keyring, parseKeyring } from '../../src/crypto/keyring.ts';
import { rewrapKeys } from '../../src/services/rewrap.ts';
import { readOptions, rejectOptions } from '../../tools/operator/command.ts';
import { keysStatus } from '../../tools/operator/key-status.ts';
import { rewrapStore } from '../../tools/operator/rewrap-store.ts';
import { logConsoleTo } from '../../tools/stack/console-log.ts';
import { removePostgres } from '../../tools/stack/postgres.ts';
import { startStack } from '../../tools/stack/stack.ts';
import { newPlatform, type Platform, Traffic, wrongsOf } from '../support/rewrap-traffic.ts';

const usage = `Usage: npm run bench:rewrap -- [options]

Moves sealed keys to a new master key, without and with traffic, and prints how many a second.

  --keys N   how many keys (default: 10000)
  --durable  keeps PostgreSQL's fsync on`;
const values = readOptions(usage, {
  keys: { type: 'string', default: '10000' },
  durable: { type: 'boolean', default: false },
});
if (!/^[1-9]\d{0,6}$/.test(values.keys)) rejectOptions(usage, '--keys is an integer from 1.');
// One key for each client and one more for every fourth.
const clients = Math.round((Number(values.keys) * 4) / 5);
const say = (line: string) => process.stdout.write(`${line}\n`);
const newMasterKey = () => randomBytes(32).toString('base64');

const directory = mkdtempSync(join(tmpdir(), 'trading-keys-bench-'));
chmodSync(directory, 0o755);
logConsoleTo(join(directory, 'supabase.log'));
const stack = await startStack({ directory, supabasePort: 0, durable: values.durable });
try {
  const [first, second, third] = [newMasterKey(), newMasterKey(), newMasterKey()];
  const platform = await newPlatform(stack.databaseUrl, clients, await parseKeyring(first));
  const { sql } = platform;
  await sql`vacuum analyze`;
  const [rows] = await sql<[{ envelopes: number }]>`
    select (select count(*) from public.trading_keys)::integer + (select count(*) from public.bot_wallets)::integer as envelopes`;
  say(
    `${clients} clients, ${Math.round(clients * 1.25)} private keys, ${rows.envelopes} envelopes; fsync ${values.durable ? 'on' : 'off'}`,
  );
  await timed('counting', async () => void (await keysStatus(sql, undefined)));

  const quiet = await move('in peace', platform, await parseKeyring(`${second},${first}`));
  const both = await parseKeyring(`${third},${second}`);
  const traffic = new Traffic(platform, both);
  traffic.sign(8, 1);
  traffic.rotate([both, await parseKeyring(second)], 50);
  traffic.revoke(40, 200);
  const busy = await move('under traffic', platform, both);
  await traffic.stop();
  say(`with traffic ${(busy / quiet).toFixed(2)} times as many keys/s as without`);
  say(
    `meanwhile: ${traffic.rotations} rotations, ${traffic.revocations} revocations, check-outs ${JSON.stringify(Object.fromEntries(traffic.signatures))}`,
  );
  await move('keys that were added meanwhile', platform, both);

  const status = await keysStatus(sql, both);
  const wrongs = await wrongsOf(platform, await parseKeyring(third), 2);
  const failed = [...traffic.signatures.keys()].filter(
    (outcome) => !['ok', 'PT401 token_invalid'].includes(outcome),
  );
  if (status.to_rewrap !== 0 || status.unopenable !== 0 || wrongs.length > 0 || failed.length > 0) {
    throw new Error(JSON.stringify({ status, wrongs: wrongs.slice(0, 10), failed }));
  }
  say('Every envelope was moved, every key is the one that was stored, and no revoked key came back.');
  await sql.end();
} finally {
  await stack.stop();
  removePostgres(join(directory, 'postgres'));
  rmSync(directory, { recursive: true, force: true });
}

/** Returns keys a second. */
async function move(name: string, { sql }: Platform, keyring: Keyring): Promise<number> {
  const began = performance.now();
  const result = await rewrapKeys(rewrapStore(sql, keyring.primary.id), keyring, {
    batch: 50,
    limit: Number.POSITIVE_INFINITY,
  });
  const seconds = (performance.now() - began) / 1000;
  say(
    `${name}: ${JSON.stringify(result)} in ${seconds.toFixed(1)} s, ${Math.round(result.moved / seconds)} keys/s`,
  );
  return result.moved / seconds;
}

async function timed(name: string, work: () => Promise<void>): Promise<void> {
  const began = performance.now();
  await work();
  say(`${name}: ${(performance.now() - began).toFixed(0)} ms`);
}
