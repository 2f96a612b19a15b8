/**
 * `npm run audit:verify -- --url https://keys.example.com --client ID`: recomputes a client's audit chain from what the
 * API answers, and checks it against its checkpoints, and against heads and checkpoints that were kept.
 *
 *     --known SEQ:HASH     a head that an earlier run printed; may be given more than once
 *     --checkpoint JWS     a checkpoint that was kept; may be given more than once
 *     --keys FILE          the JWK Set that checkpoints are verified with; else that of the API
 *
 * The token is TRADING_KEYS_TOKEN, a session of the client or of an admin; else, where `npm run dev` runs, its admin's.
 * Ends with 0 where everything fits, 1 where something does not, 2 where that cannot be told.
 */
import { existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type ChainHead, type VerifyOptions, verifyChain } from '../../src/sdk/audit.ts';
import { createClient, NoAnswer } from '../../src/sdk/client.ts';

const LOCAL_STACK = '.local/stack.json';

/** What an API answered that may lie is shown as one line, and rules no terminal. */
const plain = (line: string) => line.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]/gu, '?');
const say = (line: string) => process.stdout.write(`${plain(line)}\n`);

process.exitCode = await main().catch((error) => {
  process.stderr.write(`${plain(String(error instanceof Error ? error.message : error))}\n`);
  if (error instanceof NoAnswer) process.stderr.write('Nothing was verified.\n');
  return 2;
});

async function main(): Promise<number> {
  const { values: options } = parseArgs({
    options: {
      url: { type: 'string' },
      client: { type: 'string' },
      known: { type: 'string', multiple: true, default: [] },
      checkpoint: { type: 'string', multiple: true, default: [] },
      keys: { type: 'string' },
    },
  });
  const stack = existsSync(LOCAL_STACK) ? JSON.parse(readFileSync(LOCAL_STACK, 'utf8')) : undefined;
  const url = options.url ?? stack?.api_url;
  if (!url || !options.client) throw new Error('Name the API and the client: --url https://… --client ID');
  const token = process.env.TRADING_KEYS_TOKEN || (stack && (await adminOf(stack)));
  if (!token) throw new Error('Set TRADING_KEYS_TOKEN to an access token of the client or of an admin.');
  const verify: VerifyOptions = {
    known: [...options.known.map(headOf), ...options.checkpoint],
    ...(options.keys && { keys: JSON.parse(readFileSync(options.keys, 'utf8')) }),
  };
  const { rows, head, checkpoints, misfit } = await verifyChain(
    createClient({ url, token }),
    options.client,
    verify,
  );
  say(`rows verified         ${rows}`);
  say(`checkpoints verified  ${checkpoints}`);
  say(`head                  ${head ? `${head.seq}:${head.hash}` : 'none'}`);
  if (!misfit) {
    say(
      'Everything fits. Keep the head: the next time it shows, as --known, that nothing was cut off or rewritten.',
    );
    return 0;
  }
  say(`DOES NOT FIT          row ${misfit.seq}${misfit.id ? ` (event ${misfit.id})` : ''}: ${misfit.reason}`);
  return 1;
}

function headOf(text: string): ChainHead {
  const [, seq, hash] = /^([1-9]\d{0,14}):([0-9a-f]{64})$/.exec(text) ?? [];
  if (seq === undefined || hash === undefined)
    throw new Error('A known head is SEQ:HASH, as it was printed.');
  return { seq: Number(seq), hash };
}

async function adminOf(stack: {
  supabase_url: string;
  publishable_key: string;
  admin: object;
}): Promise<string | undefined> {
  const response = await fetch(`${stack.supabase_url}/auth/v1/token?grant_type=password`, {
    method: 'POST',
    headers: { apikey: stack.publishable_key, 'content-type': 'application/json' },
    body: JSON.stringify(stack.admin),
  });
  return response.ok ? ((await response.json()) as { access_token: string }).access_token : undefined;
}
