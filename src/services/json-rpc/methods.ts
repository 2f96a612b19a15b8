/** The methods of JSON-RPC, with the names and results that clef and web3signer have. */
import type { SignAnswer, SignRequest } from '../../contract/signing.ts';
import type { RunnerDatabase } from '../../database/as-runner.ts';
import { Problem } from '../../problem.ts';
import { describeSignedTransaction } from '../../signing/index.ts';
import { sign, signFilled } from '../sign.ts';
import type { Caller, Session } from './caller.ts';
import { invalidParams } from './errors.ts';
import { fill, isComplete } from './fill.ts';
import {
  addressAt,
  chainOf,
  hexAt,
  type JsonObject,
  personalMessage,
  requireChain,
  transactionAt,
  typedDataAt,
  walletOf,
} from './parameters.ts';
import { READ_METHODS } from './read-methods.ts';
import { send } from './send.ts';

export const CLIENT_VERSION = 'trading-keys/0.1.0';

/** One item of a request. */
export interface Context {
  readonly caller: Caller;
  readonly session: Session;
  readonly params: readonly unknown[];
  /** With the Idempotency-Key of this item. */
  readonly database: RunnerDatabase;
}

export interface Method {
  /** Signing methods run one after the other, and a rejected one is an event. */
  readonly signs: boolean;
  run(context: Context): Promise<unknown>;
}

const reading = (run: (context: Context) => Promise<unknown>): Method => ({ signs: false, run });
const signing = (run: (context: Context) => Promise<unknown>): Method => ({ signs: true, run });

const accounts = reading(({ session }) => session.accounts());

const METHODS: ReadonlyMap<string, Method> = new Map([
  ['eth_accounts', accounts],
  ['eth_requestAccounts', accounts],
  ['eth_chainId', reading(async (context) => `0x${BigInt(await chain(context)).toString(16)}`)],
  ['net_version', reading(chain)],
  [
    'web3_clientVersion',
    reading(async ({ session }) => {
      await session.bot();
      return CLIENT_VERSION;
    }),
  ],
  ['eth_signTransaction', signing(signTransaction)],
  ['eth_sendTransaction', signing(sendTransaction)],
  [
    'eth_signTypedData_v4',
    signing((context) => {
      const [wallet, typed_data] = [addressAt(context.params, 0), typedDataAt(context.params, 1)];
      return signatureOf(context, { type: 'evm.typed_data', typed_data, wallet });
    }),
  ],
  [
    'personal_sign',
    signing((context) => signatureOf(context, { type: 'evm.message', ...personalMessage(context.params) })),
  ],
  [
    'eth_sign',
    // EIP-191, whatever the bytes are: they may be the hash of a transaction.
    signing((context) => {
      const [wallet, raw] = [addressAt(context.params, 0), hexAt(context.params, 1)];
      return signatureOf(context, { type: 'evm.message', message: { raw }, wallet });
    }),
  ],
]);

/** @throws {Problem} rpc_method_unknown */
export function methodNamed(name: string): Method {
  const method =
    METHODS.get(name) ?? (READ_METHODS.has(name) ? reading((context) => forward(name, context)) : undefined);
  if (!method) throw new Problem('rpc_method_unknown');
  return method;
}

/** Reads the bot for every caller: whoever has no valid token learns nothing, and uses no node. */
async function chain({ session }: Context): Promise<string> {
  await session.bot();
  return session.chain();
}

async function forward(method: string, context: Context): Promise<unknown> {
  return context.caller.nodes.of(await chain(context))(method, context.params);
}

const signWith = ({ caller: { keyring, botId }, database }: Context, request: SignRequest) =>
  sign({ database, keyring }, botId, request);

const signatureOf = async (context: Context, request: SignRequest) =>
  (await signWith(context, request)).signature;

const requestOf = (transaction: JsonObject, wallet: string | undefined): SignRequest => ({
  type: 'evm.transaction',
  transaction,
  ...(wallet !== undefined && { wallet }),
});

async function signTransaction(context: Context): Promise<unknown> {
  const transaction = transactionAt(context.params, 0);
  requireChain(transaction, context.caller.chainId);
  const chainId = chainOf(transaction) ?? (await context.session.chain());
  const raw = rawOf(await signWith(context, requestOf({ ...transaction, chainId }, walletOf(transaction))));
  return { raw, tx: describeSignedTransaction(raw) };
}

async function sendTransaction(context: Context): Promise<string> {
  const { caller, session, database, params } = context;
  const transaction = transactionAt(params, 0);
  requireChain(transaction, caller.chainId);
  const complete = isComplete(transaction);
  // A repeated request must not depend on the node: the transaction may be mined, and the balance or the fees may have changed.
  const before = complete ? undefined : await database.findFilled(caller.botId);
  // Before a node works for the caller, the database has to accept the token.
  if (!complete && !before) await session.bot();
  const chainId = chainOf(transaction) ?? (await session.chain());
  const node = caller.nodes.of(chainId);
  const wallet = walletOf(transaction) ?? (complete ? undefined : await onlyAccount(session));
  const fields =
    before ??
    (complete || wallet === undefined
      ? {}
      : await fill(transaction, wallet, node, caller.nodes.feeCapOf(chainId)));
  const { answer, filled } = await signFilled(
    { database, keyring: caller.keyring },
    caller.botId,
    (added) => requestOf({ ...transaction, ...added }, wallet),
    { chainId, ...fields },
  );
  return send(rawOf(answer), caller.nodes.of(filled.chainId ?? chainId), before !== undefined);
}

async function onlyAccount(session: Session): Promise<string> {
  const [only, another] = await session.accounts();
  if (only === undefined) throw new Problem('bot_key_missing');
  if (another !== undefined)
    throw invalidParams('/0/from', 'is required, because the bot has several wallets');
  return only;
}

function rawOf({ signed_transaction: raw }: SignAnswer): string {
  if (raw === undefined) throw new Problem('internal_error');
  return raw;
}
