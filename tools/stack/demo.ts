/**
 * `npm run demo`: shows the two flows of the product as requests and responses, with new keys. It uses the stack that
 * `npm run dev` runs, or starts a stack. It creates its own clients and changes no other client. It fails if a response is
 * not the expected one.
 */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ed25519 } from '@noble/curves/ed25519.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { base58 } from '@scure/base';
import postgres from 'postgres';
import { readOptions } from '../operator/command.ts';
import { createClientAccount } from './accounts.ts';
import type { StackFile } from './dev.ts';
import { signIn } from './session.ts';

const print = (line = '') => process.stdout.write(`${line}\n`);
const title = (text: string) => print(`\n── ${text} ${'─'.repeat(Math.max(0, 100 - text.length))}\n`);

interface Person {
  readonly name: string;
  readonly token: string;
}

const options = readOptions(
  `Usage: npm run demo -- [--directory D]

Shows both flows as requests and responses. It uses the running stack, or starts a stack if none is running. It creates
its own clients and changes no other client.

  --directory D  the directory of the running stack (default: .local)`,
  { directory: { type: 'string', default: '.local' } },
);

await main().catch((error) => {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
});

async function main(): Promise<void> {
  const running = readStack(resolve(options.directory));
  if (running) return showFlows(running);
  print('No stack runs here (npm run dev). Starting one for the demo.');
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
    if (!own) throw new Error('The stack does not start.');
    await showFlows(own);
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

async function showFlows(stack: StackFile): Promise<void> {
  if (!stack.admin) throw new Error('The stack has no admin account: it was started with --empty.');
  const api = apiOf(stack);
  const sql = postgres(stack.database_url, { max: 1, onnotice: () => {} });
  try {
    title('Clients for the demo');
    const run = randomUUID().slice(0, 8);
    const [dana, eli] = await sql.begin(async (transaction) => [
      await createClientAccount(transaction, 'Dana', `demo-${run}-dana@example.test`),
      await createClientAccount(transaction, 'Eli', `demo-${run}-eli@example.test`),
    ]);
    print(
      'The demo creates two clients with accounts, Dana and Eli, and later a third. It changes no other client.',
    );

    title('Signing in (Supabase Auth)');
    const asAdmin = await personOf(stack, 'the admin', stack.admin);
    const asDana = await personOf(stack, dana.name, dana);
    const asEli = await personOf(stack, eli.name, eli);

    title('Option 1: an admin enters the key');
    const evmKey = `0x${bytesToHex(secp256k1.utils.randomSecretKey())}`;
    const email = `demo-${run}@example.test`;
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

    title(`Option 2: ${dana.name} sets up a bot herself`);
    const solanaSecret = ed25519.utils.randomSecretKey();
    const solanaKey = keypairOf(solanaSecret);
    await api(asDana, 'GET', `/clients/${dana.clientId}/bot-options`, 200);
    const own = await api(asDana, 'POST', `/clients/${dana.clientId}/setup-bot`, 201, {
      bot_type: 'solana-dca',
      private_key: solanaKey,
    });

    title('What is stored');
    await showStored(sql, dana.clientId, [solanaKey, bytesToHex(solanaSecret)]);

    title('The key is bound to its row');
    await showBound(sql, dana.clientId, client.id);

    title('Dana cannot read it either, directly at the REST API');
    await api(
      asDana,
      'GET',
      `/rest/v1/trading_keys?select=encrypted_key`,
      403,
      undefined,
      stack.supabase_url,
    );

    title('Eli gets 404, the response for a client that does not exist');
    await api(asEli, 'GET', `/clients/${dana.clientId}/trading-key`, 404);
    await api(asEli, 'DELETE', `/clients/${dana.clientId}/revoke-key`, 404);
    await api(asEli, 'GET', `/clients/00000000-0000-4000-8000-000000000000/trading-key`, 404);

    title('Rotation: every wallet of every bot gets the new key');
    const next = ed25519.utils.randomSecretKey();
    await api(asDana, 'PUT', `/clients/${dana.clientId}/rotate-key`, 200, {
      private_key: keypairOf(next),
    });
    await api(asDana, 'GET', `/bots/${own.id}`, 200);

    title('Revocation: bots stop, every ciphertext is deleted');
    await api(asDana, 'DELETE', `/clients/${dana.clientId}/revoke-key`, 200);
    await api(asDana, 'POST', `/bots/${own.id}/start`, 409);
    const [left] = await sql`select count(*)::int as n from public.bot_wallets
      where client_id = ${dana.clientId} and encrypted_key is not null`;
    print(`Wallets of ${dana.name} with a ciphertext: ${left?.n}`);
    await api(asAdmin, 'DELETE', `/clients/${client.id}/revoke-key`, 200);
    print('\nDone. Every response was as expected.');
    print(`The clients of the demo stay in the stack, without keys: ${dana.email}, ${eli.email}, ${email}.`);
  } finally {
    await sql.end();
  }
}

/** The seed and the public key in base58, as wallets of Solana export them. */
function keypairOf(seed: Uint8Array): string {
  return base58.encode(Uint8Array.from([...seed, ...ed25519.getPublicKey(seed)]));
}

async function personOf(
  stack: StackFile,
  name: string,
  account: { email: string; password: string },
): Promise<Person> {
  const project = { supabaseUrl: stack.supabase_url, publishableKey: stack.publishable_key };
  const { token } = await signIn(project, account);
  print(`${name} signs in as ${account.email}`);
  return { name, token };
}

/** Sends a request, and prints it and the response. Throws if the status is not `expected`. Private keys are not printed. */
function apiOf(stack: StackFile) {
  return async (
    by: Person,
    method: string,
    path: string,
    expected: number,
    body?: object,
    base = stack.api_url,
  ) => {
    print(`${method} ${path}   (${by.name})`);
    if (body) print(indent(JSON.stringify(body, hideKey, 2)));
    const response = await fetch(`${base}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${by.token}`,
        apikey: stack.publishable_key,
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    const result = await response.json();
    print(`→ ${response.status}\n${indent(JSON.stringify(result, null, 2))}\n`);
    if (response.status !== expected)
      throw new Error(`The status is ${response.status}. Expected: ${expected}.`);
    return result as { id: string };
  };
}

function hideKey(name: string, value: unknown): unknown {
  return name === 'private_key' ? '(a new key)' : value;
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
    print(`${source}.encrypted_key`);
    print(indent(`readable, authenticated: ${Buffer.from(header, 'base64url').toString('utf8')}`));
    print(indent(`sealed: ${sealed.join('.')}`));
    if (forms.some((form) => encrypted_key.includes(form))) throw new Error('The key is in the database.');
  }
}

/** The operator, who owns the tables, tries to copy the envelope of one client to another. */
async function showBound(sql: postgres.Sql, from: string, to: string): Promise<void> {
  const attempt = await sql`
    update public.trading_keys as theirs set encrypted_key = hers.encrypted_key, key_id = hers.key_id,
      address = hers.address, chain = hers.chain
    from public.trading_keys as hers where hers.client_id = ${from} and theirs.client_id = ${to}`.catch(
    (error: postgres.PostgresError) => error,
  );
  if (!(attempt instanceof postgres.PostgresError)) throw new Error('The envelope could be moved.');
  print(`update trading_keys set encrypted_key = (Dana's) where client_id = (the third client's)`);
  print(`→ ${attempt.code}: ${attempt.message}`);
}
