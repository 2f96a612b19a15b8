/** A bot trades on Solana's own runtime (litesvm) with Kit and the SDK. Ed25519 signatures are deterministic too. */
import {
  AccountRole,
  type Address,
  appendTransactionMessageInstruction,
  appendTransactionMessageInstructions,
  compileTransaction,
  createKeyPairSignerFromPrivateKeyBytes,
  createSignableMessage,
  createTransactionMessage,
  generateKeyPairSigner,
  getBase58Decoder,
  getBase64EncodedWireTransaction,
  getTransactionDecoder,
  type KeyPairSigner,
  lamports,
  pipe,
  setTransactionMessageConfig,
  setTransactionMessageFeePayerSigner,
  signTransactionMessageWithSigners,
  type Transaction,
  type TransactionSigner,
} from '@solana/kit';
import { FailedTransactionMetadata, LiteSVM } from 'litesvm';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createTradingKeysSigner } from '../../src/sdk/solana.ts';
import { readSigning } from '../../src/signing/index.ts';
import { newTrader, type Trader } from '../support/traders.ts';
import type { RunningWorker } from '../support/worker.ts';
import { startApi, stopApi } from './api.ts';

/** In version 1, a transaction has no compute units and no data of accounts unless it requests them. */
const BUDGET = { computeUnitLimit: 20_000, loadedAccountsDataSizeLimit: 65_536 };
type Config = Parameters<typeof setTransactionMessageConfig>[0];

const SYSTEM_PROGRAM = '11111111111111111111111111111111' as Address;
const SOL = 1_000_000_000n;
const FEE = 5_000n;

let api: RunningWorker;
let chain: LiteSVM;
let trader: Trader;
let signer: TransactionSigner;
/** Kit's own signer, with the same key. */
let local: KeyPairSigner;

const newSeed = () => crypto.getRandomValues(new Uint8Array(32));
/** Base58 of a seed has the form of an address, so the API requires the address too. */
async function newKey(seed = newSeed()) {
  const { address } = await createKeyPairSignerFromPrivateKeyBytes(seed);
  return { private_key: getBase58Decoder().decode(seed), address };
}

beforeAll(async () => {
  api = await startApi();
});
afterAll(() => stopApi(api));

beforeEach(async () => {
  const seed = newSeed();
  chain = new LiteSVM();
  local = await createKeyPairSignerFromPrivateKeyBytes(seed);
  trader = await newTrader(api.url, await newKey(seed), 'solana-grid');
  signer = createTradingKeysSigner({ client: trader.runner, botId: trader.botId, address: trader.address });
  chain.airdrop(local.address, lamports(10n * SOL));
});

/** A transfer of the System program: instruction 2, and the amount. */
function transfer(
  from: TransactionSigner,
  to: Address,
  amount: bigint,
  payer = from,
  version: 0 | 1 | 'legacy' = 0,
) {
  const data = new Uint8Array(12);
  const view = new DataView(data.buffer);
  view.setUint32(0, 2, true);
  view.setBigUint64(4, amount, true);
  const accounts = [
    { address: from.address, role: AccountRole.WRITABLE_SIGNER, signer: from },
    { address: to, role: AccountRole.WRITABLE },
  ] as const;
  return pipe(
    createTransactionMessage({ version: version as 0 }), // all versions take these steps
    (message) => setTransactionMessageFeePayerSigner(payer, message),
    (message) => chain.setTransactionMessageLifetimeUsingLatestBlockhash(message),
    (message) =>
      appendTransactionMessageInstruction({ programAddress: SYSTEM_PROGRAM, accounts, data }, message),
    (message) => (version === 1 ? configured(message, BUDGET) : message),
  );
}

/** `transfer` gives messages of all versions one type. */
function configured<Message>(message: Message, config: Config): Message {
  const first = message as unknown as Parameters<typeof setTransactionMessageConfig>[1];
  return setTransactionMessageConfig(config, first) as unknown as Message;
}

test('the address is the address of the key', () => {
  expect(signer.address).toBe(local.address);
});

describe.each([0, 1, 'legacy'] as const)('a transfer by a message of version %s', (version) => {
  test("executes, with the same signature as Kit's own signer, byte for byte", async () => {
    const to = (await generateKeyPairSigner()).address;
    const signed = await signTransactionMessageWithSigners(transfer(signer, to, SOL, signer, version));
    const byKit = await signTransactionMessageWithSigners(transfer(local, to, SOL, local, version));
    expect(signed).toEqual(byKit);
    const result = chain.sendTransaction(signed);
    expect(result).not.toBeInstanceOf(FailedTransactionMetadata);
    expect(chain.getBalance(to)).toBe(SOL);
    expect(chain.getBalance(local.address)).toBe(9n * SOL - FEE);
  });
});

describe('the highest fee that the API finds is the fee that the runtime takes', () => {
  const budget = (instruction: 2 | 3, size: 4 | 8, value: bigint) => ({
    programAddress: 'ComputeBudget111111111111111111111111111111' as Address,
    data: Uint8Array.of(
      instruction,
      ...Array.from({ length: size }, (_, i) => Number((value >> BigInt(8 * i)) & 255n)),
    ),
  });
  const factOf = (signed: Transaction) => {
    const message = Buffer.from(signed.messageBytes).toString('base64');
    return readSigning({ type: 'solana.transaction', message }).fee ?? 0n;
  };

  test('version 1, with a priority fee', async () => {
    const to = (await generateKeyPairSigner()).address;
    const message = configured(transfer(signer, to, SOL, signer, 1), {
      ...BUDGET,
      priorityFeeLamports: 77n,
      heapSize: 65_536,
    });
    const signed = await signTransactionMessageWithSigners(message);
    expect(chain.sendTransaction(signed)).not.toBeInstanceOf(FailedTransactionMetadata);
    expect(10n * SOL - (chain.getBalance(local.address) ?? 0n) - SOL).toBe(FEE + 77n);
    expect(factOf(signed)).toBe(FEE + 77n);
  });

  test.each([0, 'legacy'] as const)('version %s, with a price of compute units', async (version) => {
    const to = (await generateKeyPairSigner()).address;
    const message = appendTransactionMessageInstructions(
      [budget(2, 4, 20_001n), budget(3, 8, 1_000_003n)],
      transfer(signer, to, SOL, signer, version),
    );
    const signed = await signTransactionMessageWithSigners(message);
    expect(chain.sendTransaction(signed)).not.toBeInstanceOf(FailedTransactionMetadata);
    expect(10n * SOL - (chain.getBalance(local.address) ?? 0n) - SOL).toBe(factOf(signed));
    expect(factOf(signed)).toBe(FEE + 20_002n);
  });
});

test('a whole transaction, without signatures, is signed and executes', async () => {
  const to = (await generateKeyPairSigner()).address;
  for (const version of [0, 1, 'legacy'] as const) {
    const made = compileTransaction(transfer(signer, to, SOL, signer, version));
    const { signed_transaction = '' } = await trader.runner.bots.sign(trader.botId, {
      type: 'solana.transaction',
      message: getBase64EncodedWireTransaction(made),
    });
    const signed = getTransactionDecoder().decode(Buffer.from(signed_transaction, 'base64'));
    expect(chain.sendTransaction(signed as never)).not.toBeInstanceOf(FailedTransactionMetadata);
  }
  expect(chain.getBalance(to)).toBe(3n * SOL);
});

test('a transfer whose fee another account pays has both signatures', async () => {
  const payer = await generateKeyPairSigner();
  const to = (await generateKeyPairSigner()).address;
  chain.airdrop(payer.address, lamports(SOL));
  const signed = await signTransactionMessageWithSigners(transfer(signer, to, SOL, payer));
  expect(chain.sendTransaction(signed)).not.toBeInstanceOf(FailedTransactionMetadata);
  expect([chain.getBalance(to), chain.getBalance(local.address)]).toEqual([SOL, 9n * SOL]);
});

test("a message has the signature of Kit's own signer, and bytes that could be a transaction have none", async () => {
  const keychain = createTradingKeysSigner({
    client: trader.runner,
    botId: trader.botId,
    address: trader.address,
  });
  expect(await keychain.isAvailable()).toBe(true);
  const messages = [createSignableMessage('I own this account.')];
  expect(await keychain.signMessages(messages)).toEqual(await local.signMessages(messages));
  const { messageBytes } = compileTransaction(transfer(local, local.address, 1n));
  const disguised = keychain.signMessages([createSignableMessage(Uint8Array.from(messageBytes))]);
  await expect(disguised).rejects.toMatchObject({ code: 'message_is_transaction' });
  await trader.owner.bots.stop(trader.botId);
  expect(await keychain.isAvailable()).toBe(false);
});

test('after a rotation the new address signs, and the old address does not', async () => {
  const to = (await generateKeyPairSigner()).address;
  const { address } = await trader.owner.clients.rotateKey(trader.clientId, await newKey());
  chain.airdrop(address as Address, lamports(2n * SOL));
  const old = signTransactionMessageWithSigners(transfer(signer, to, SOL));
  await expect(old).rejects.toMatchObject({ code: 'wallet_address_replaced' });
  const next = createTradingKeysSigner({ client: trader.runner, botId: trader.botId, address });
  const signed = await signTransactionMessageWithSigners(transfer(next, to, SOL));
  expect(chain.sendTransaction(signed)).not.toBeInstanceOf(FailedTransactionMetadata);
  expect([chain.getBalance(to), chain.getBalance(local.address)]).toEqual([SOL, 10n * SOL]);
});

test('after a revocation the bot signs nothing', async () => {
  const to = (await generateKeyPairSigner()).address;
  await trader.owner.clients.revokeKey(trader.clientId);
  const signing = signTransactionMessageWithSigners(transfer(signer, to, SOL));
  // The revocation ends the token too.
  await expect(signing).rejects.toMatchObject({ code: 'token_invalid' });
});

test('the policy of a bot limits lamports and programs', async () => {
  const to = (await generateKeyPairSigner()).address;
  await trader.owner.bots.setPolicy(trader.botId, { max_value: String(SOL) });
  const dear = signTransactionMessageWithSigners(transfer(signer, to, SOL + 1n));
  await expect(dear).rejects.toMatchObject({ code: 'policy_value_exceeded' });
  await signTransactionMessageWithSigners(transfer(signer, to, SOL));
});
