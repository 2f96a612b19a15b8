/** `npm run audit:verify`: verifies the audit chain of a client, or of the deployment, from what the API returns. */
import { readFileSync } from 'node:fs';
import { type ChainHead, type VerifyOptions, verifyChain } from '../../src/sdk/audit.ts';
import { ApiProblem, createClient, NoAnswer, type TradingKeysClient } from '../../src/sdk/client.ts';
import type { StackFile } from '../stack/dev.ts';
import { signIn } from '../stack/session.ts';
import { plain, print, printNote, runCommand, type Values } from './command.ts';
import { messageOf, OperatorError, UsageError } from './failure.ts';
import { readLocalStack } from './local-stack.ts';

const usage = `Usage: npm run audit:verify -- [--url https://keys.example.com] (--client ID | --deployment) [options]

Recomputes the audit chain of a client, or of the deployment, and compares it with its checkpoints and with the heads
and checkpoints that you kept.

  --url URL          the API; without it, the API of the stack that "npm run dev" runs here
  --client ID        the client
  --deployment       the chain of the deployment; requires an access token of an admin
  --known SEQ:HASH   a head that an earlier run printed; may be given several times
  --checkpoint JWS   a checkpoint that you kept; may be given several times
  --keys FILE        the JWK Set that verifies checkpoints; without it, the JWK Set of the API

TRADING_KEYS_TOKEN is an access token of the client or of an admin. Without it the command signs in as the admin of the
local stack, and sends this session to the API of the local stack only.

Exit codes: 0 everything matches; 1 something does not match; 2 nothing was verified.`;

const options = {
  url: { type: 'string' },
  client: { type: 'string' },
  deployment: { type: 'boolean' },
  known: { type: 'string', multiple: true },
  checkpoint: { type: 'string', multiple: true },
  keys: { type: 'string' },
} as const;

/** The responses are not trusted: the API may return false data. */
const printPlain = (line: string) => print(plain(line));

await runCommand({ usage, options, failed: 2, describe }, async (values) => {
  const chain = values.deployment ? 'deployment' : values.client;
  if (chain === undefined) throw new UsageError('--client or --deployment is missing.');
  if (values.deployment && values.client !== undefined) {
    throw new UsageError('--client and --deployment exclude each other.');
  }
  const stack = readLocalStack();
  const url = values.url ?? stack?.api_url;
  if (url === undefined) throw new UsageError('--url is missing, and no local stack is running.');
  const verify = verifyOptionsOf(values);
  const token = process.env.TRADING_KEYS_TOKEN?.trim() || (await localSession(stack, url));
  const { rows, head, checkpoints, misfit } = await verifyChain(clientOf(url, token), chain, verify);
  printPlain(`rows verified         ${rows}`);
  printPlain(`checkpoints verified  ${checkpoints}`);
  printPlain(`head                  ${head ? `${head.seq}:${head.hash}` : 'none'}`);
  if (!misfit) {
    print(
      'Everything matches. Keep the head: with --known, a later run detects rows that were removed or rewritten.',
    );
    return 0;
  }
  printPlain(
    `DOES NOT FIT          row ${misfit.seq}${misfit.id ? ` (event ${misfit.id})` : ''}: ${misfit.reason}`,
  );
  return 1;
});

function verifyOptionsOf({ known = [], checkpoint = [], keys }: Values<typeof options>): VerifyOptions {
  return {
    known: [...known.map(headOf), ...checkpoint],
    ...(keys !== undefined && { keys: readKeys(keys) }),
  };
}

function headOf(text: string): ChainHead {
  const [, seq, hash] = /^([1-9]\d{0,14}):([0-9a-f]{64})$/.exec(text) ?? [];
  if (seq === undefined || hash === undefined)
    throw new UsageError('--known takes SEQ:HASH, as an earlier run printed it.');
  return { seq: Number(seq), hash };
}

function readKeys(path: string): NonNullable<VerifyOptions['keys']> {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    throw new OperatorError('The file of --keys is not a readable JWK Set.');
  }
}

/** The session of the local admin is a credential, so it is sent to the local API only. */
async function localSession(stack: StackFile | undefined, url: string): Promise<string> {
  if (!stack?.admin || !isSameUrl(url, stack.api_url)) {
    throw new OperatorError('Set TRADING_KEYS_TOKEN to an access token of the client or of an admin.');
  }
  const project = { supabaseUrl: stack.supabase_url, publishableKey: stack.publishable_key };
  const session = await signIn(project, stack.admin).catch(() => undefined);
  if (!session)
    throw new OperatorError('The admin of the local stack cannot sign in. Set TRADING_KEYS_TOKEN.');
  return session.token;
}

function isSameUrl(one: string, other: string): boolean {
  const [a, b] = [URL.parse(one), URL.parse(other)];
  return a !== null && a.href === b?.href;
}

function clientOf(url: string, token: string): TradingKeysClient {
  try {
    return createClient({ url, token });
  } catch (error) {
    if (error instanceof TypeError) throw new UsageError(error.message);
    throw error;
  }
}

function describe(error: unknown): string {
  if (error instanceof ApiProblem) return plain(error.message);
  if (error instanceof NoAnswer) printNote('Nothing was verified.');
  return error instanceof NoAnswer ? plain(error.message) : messageOf(error);
}
