/**
 * `npm run demo`: shows the two flows of the product as requests and responses, with new keys. It uses the stack that
 * `npm run dev` runs, or starts its own. If a response is not as expected, it fails.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ed25519 } from '@noble/curves/ed25519.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { base58 } from '@scure/base';
import postgres from 'postgres';
import type { StackFile } from './dev.ts';
import { signIn } from './session.ts';

const say = (line = '') => process.stdout.write(`${line}\n`);
const title = (text: string) => say(`\n── ${text} ${'─'.repeat(Math.max(0, 100 - text.length))}\n`);

interface Person {
  readonly name: string;
  readonly token: string;
}

await main();

async function main(): Promise<void> {
  const running = readStack(resolve('.local'));
  if (running) return tell(running);
  say('No local stack is running (npm run dev). Starting one for the demo.');
  const directory = mkdtempSync(join(tmpdir(), 'trading-keys-demo-'));
  const dev = spawn(
    process.execPath,
    [join(import.meta.dirname, 'dev.ts'), '--directory', directory, '--fresh'],
    {
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  const ended = new Promise<void>((resolve) => dev.once('exit', () => resolve()));
  try {
    let own: StackFile | undefined;
    while (!own && dev.exitCode === null) {
      await sleep(200);
      own = readStack(directory);
    }
    if (!own) throw new Error('The stack did not start.');
    await tell(own);
  } finally {
    dev.kill('SIGTERM');
    await ended;
    rmSync(directory, { recursive: true, force: true });
  }
}

function readStack(directory: string): StackFile | undefined {
  const path = join(directory, 'stack.json');
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
}

async function tell(stack: StackFile): Promise<void> {
  const [alice, bob] = stack.clients;
  if (!alice || !bob || !stack.admin) throw new Error('The stack has no demo accounts.');
  const api = apiOf(stack);
  const sql = postgres(stack.database_url, { max: 1, onnotice: () => {} });
  try {
    title('Signing in (Supabase Auth)');
    const asAdmin = await personOf(stack, 'the admin', stack.admin);
    const asAlice = await personOf(stack, alice.name, alice);
    const asBob = await personOf(stack, bob.name, bob);

    title('Option 1: an admin submits the key');
    const evmKey = `0x${bytesToHex(secp256k1.utils.randomSecretKey())}`;
    const email = `demo-${Date.now()}@example.test`;
    const client = await api(asAdmin, 'POST', '/clients', 201, { name: 'A demo client', email });
    const bot = await api(asAdmin, 'POST', '/bots/create', 201, {
      client_id: client.id,
      name: 'Grid one',
      bot_type: 'evm-grid',
      config: { pair: 'ETH/USDC' },
      wallets: [{ private_key: evmKey }],
    });
    await api(asAdmin, 'POST', `/bots/${bot.id}/start`, 200);
    await api(asAdmin, 'GET', `/clients/${client.id}/trading-key`, 200);

    title(`Option 2: ${alice.name} sets up a bot herself`);
    const solanaSecret = ed25519.utils.randomSecretKey();
    const solanaKey = base58.encode(
      Uint8Array.from([...solanaSecret, ...ed25519.getPublicKey(solanaSecret)]),
    );
    await api(asAlice, 'GET', `/clients/${alice.id}/bot-options`, 200);
    const own = await api(asAlice, 'POST', `/clients/${alice.id}/setup-bot`, 201, {
      bot_type: 'solana-dca',
      private_key: solanaKey,
    });

    title('What the database stores');
    await showStored(sql, alice.id, [solanaKey, bytesToHex(solanaSecret)]);

    title('An envelope is bound to its row');
    await showBound(sql, alice.id, client.id);

    title('Not even Alice can read her key, also directly at the REST API');
    await api(
      asAlice,
      'GET',
      `/rest/v1/trading_keys?select=encrypted_key`,
      403,
      undefined,
      stack.supabase_url,
    );

    title('Another client gets 404, the same as for a client that does not exist');
    await api(asBob, 'GET', `/clients/${alice.id}/trading-key`, 404);
    await api(asBob, 'DELETE', `/clients/${alice.id}/revoke-key`, 404);
    await api(asBob, 'GET', `/clients/00000000-0000-4000-8000-000000000000/trading-key`, 404);

    title('Rotation: every wallet of every bot gets the new key');
    const next = ed25519.utils.randomSecretKey();
    await api(asAlice, 'PUT', `/clients/${alice.id}/rotate-key`, 200, { private_key: base58.encode(next) });
    await api(asAlice, 'GET', `/bots/${own.id}`, 200);

    title('Revocation: all bots stop, and every ciphertext is removed');
    await api(asAlice, 'DELETE', `/clients/${alice.id}/revoke-key`, 200);
    await api(asAlice, 'POST', `/bots/${own.id}/start`, 409);
    const [left] = await sql`select count(*)::int as n from public.bot_wallets
      where client_id = ${alice.id} and encrypted_key is not null`;
    say(`Wallets of ${alice.name} with a ciphertext: ${left?.n}`);
    await api(asAdmin, 'DELETE', `/clients/${client.id}/revoke-key`, 200);
    say('\nDone: every response was as expected.');
  } finally {
    await sql.end();
  }
}

async function personOf(
  stack: StackFile,
  name: string,
  account: { email: string; password: string },
): Promise<Person> {
  const project = { supabaseUrl: stack.supabase_url, publishableKey: stack.publishable_key };
  const { token } = await signIn(project, account);
  say(`${name} signs in as ${account.email}`);
  return { name, token };
}

/** Sends a request, prints it and its response, and fails if the status differs. Submitted keys are not printed. */
function apiOf(stack: StackFile) {
  return async (
    by: Person,
    method: string,
    path: string,
    expected: number,
    body?: object,
    base = stack.api_url,
  ) => {
    say(`${method} ${path}   (${by.name})`);
    if (body) say(indent(JSON.stringify(body, hideKey, 2)));
    const response = await fetch(`${base}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${by.token}`,
        apikey: stack.publishable_key,
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    const answer = await response.json();
    say(`→ ${response.status}\n${indent(JSON.stringify(answer, null, 2))}\n`);
    if (response.status !== expected) throw new Error(`expected ${expected}`);
    return answer as { id: string };
  };
}

function hideKey(name: string, value: unknown): unknown {
  return name === 'private_key' ? '(generated for this demo)' : value;
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '  ');
}

async function showStored(sql: postgres.Sql, clientId: string, forms: readonly string[]): Promise<void> {
  const rows = await sql<{ source: string; encrypted_key: string }[]>`
    select 'trading_keys' as source, encrypted_key from public.trading_keys where client_id = ${clientId}
    union all
    select 'bot_wallets', encrypted_key from public.bot_wallets
    where client_id = ${clientId} and encrypted_key is not null`;
  for (const { source, encrypted_key } of rows) {
    const [header = '', ...sealed] = encrypted_key.split('.');
    say(`${source}.encrypted_key`);
    say(indent(`readable, authenticated: ${Buffer.from(header, 'base64url').toString('utf8')}`));
    say(indent(`sealed: ${sealed.join('.')}`));
    if (forms.some((form) => encrypted_key.includes(form)))
      throw new Error('the plain key is in the database');
  }
}

/** The operator, who owns the tables, tries to write the envelope of one client to the row of another client. */
async function showBound(sql: postgres.Sql, from: string, to: string): Promise<void> {
  const attempt = await sql`
    update public.trading_keys as theirs set encrypted_key = hers.encrypted_key, key_id = hers.key_id,
      address = hers.address, chain = hers.chain
    from public.trading_keys as hers where hers.client_id = ${from} and theirs.client_id = ${to}`.catch(
    (error: postgres.PostgresError) => error,
  );
  if (!(attempt instanceof postgres.PostgresError)) throw new Error('the envelope could be moved');
  say(`update trading_keys set encrypted_key = (Alice's) where client_id = (the demo client's)`);
  say(`→ ${attempt.code}: ${attempt.message}`);
}
