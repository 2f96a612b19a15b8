/** The Python package signs through the API what viem, Kit's runtime and noble sign locally with the same key, byte for byte. */
import { ed25519 } from '@noble/curves/ed25519.js';
import { base58 } from '@scure/base';
import {
  createKeyPairFromPrivateKeyBytes,
  getTransactionEncoder,
  partiallySignTransaction,
} from '@solana/kit';
import {
  Keypair,
  SystemProgram,
  Transaction,
  TransactionMessage,
  VersionedTransaction,
} from '@solana/web3.js';
import {
  type Hex,
  hashMessage,
  hexToBigInt,
  hexToBytes,
  keccak256,
  parseSignature,
  recoverMessageAddress,
  recoverTransactionAddress,
  recoverTypedDataAddress,
  serializeTransaction,
  stringToBytes,
  type TransactionSerialized,
} from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describePayload } from '../../src/sdk/evm-payload.ts';
import { MESSAGES, TRANSACTIONS, TYPED_DATA } from '../support/evm-things.ts';
import { pythonMissing } from '../support/python.ts';
import { type PythonSigner, startPythonSigner } from '../support/python-signer.ts';
import { compiled, transfer } from '../support/solana.ts';
import { newTrader, type Trader } from '../support/traders.ts';
import type { RunningWorker } from '../support/worker.ts';
import { startApi, stopApi } from './api.ts';

const missing = pythonMissing();
const BLOCKHASH = '4sGjMW1sUnHzSxGspuhpqLDx6wiyjNtZAMdL4VZHirAn';

if (missing) test(missing, (context) => context.skip(missing));

describe.skipIf(missing)('the Python package', () => {
  let api: RunningWorker;
  const pythons: PythonSigner[] = [];
  beforeAll(async () => {
    api = await startApi();
  });
  afterAll(async () => {
    for (const python of pythons) await python.stop();
    await stopApi(api);
  });

  async function signerOf(private_key: string, botType: string): Promise<[Trader, PythonSigner]> {
    const trader = await newTrader(api.url, { private_key }, botType);
    const python = startPythonSigner({
      TRADING_KEYS_URL: api.url.origin,
      TRADING_KEYS_TOKEN: trader.token,
      BOT_ID: trader.botId,
    });
    pythons.push(python);
    return [trader, python];
  }

  describe('an EVM account', () => {
    const privateKey = generatePrivateKey();
    const local = privateKeyToAccount(privateKey);
    const { address } = local;
    let trader: Trader;
    let python: PythonSigner;
    beforeAll(async () => {
      [trader, python] = await signerOf(privateKey, 'evm-grid');
    });

    test('has the address that it was created with', async () => {
      expect(await python.call({ method: 'address', address })).toEqual({ result: address });
      const malformed = await python.call({ method: 'address', address: address.slice(2) });
      expect(malformed).toMatchObject({ error: 'ValueError' });
    });

    describe('sign_transaction', () => {
      test.each(Object.entries(TRANSACTIONS))('%s', async (_name, transaction) => {
        const fields = fieldsOf(transaction);
        const call = { method: 'sign_transaction', address, arguments: [fields], keccak: true };
        const { result } = await python.call(call);
        const raw = await local.signTransaction(transaction);
        expect(result).toMatchObject({ raw_transaction: raw, hash: keccak256(raw) });
        expect(await recoverTransactionAddress({ serializedTransaction: raw as TransactionSerialized })).toBe(
          address,
        );
        // As eth-account, the v of EIP-155, or the parity.
        const v =
          transaction.type === 'legacy'
            ? BigInt(result.v) - 35n - 2n * BigInt(transaction.chainId ?? 0)
            : BigInt(result.v);
        expect([0n, 1n]).toContain(v);
      });

      test.each([
        ['an empty to, as eth-account has it for a new contract', { to: '' }],
        ['a to of no bytes', { to: new Uint8Array() }],
        ['null as to', { to: null }],
        ['data as bytes', { data: Uint8Array.of(0x60, 1), to: null }],
        ['input in place of data', { input: '0x6001', to: null }],
        ['numbers as texts', { nonce: '3', gas: '0x5208', value: '7' }],
        ['a type in hex', { type: '0x2' }],
      ])('%s', async (_name, change) => {
        const fields = {
          chainId: 1,
          nonce: 3,
          gas: 21_000,
          maxFeePerGas: 9,
          maxPriorityFeePerGas: 2,
          to: address,
        };
        const { result } = await python.call({
          method: 'sign_transaction',
          address,
          arguments: [{ ...fields, ...change }],
        });
        const raw = result.raw_transaction as TransactionSerialized;
        expect(await recoverTransactionAddress({ serializedTransaction: raw })).toBe(address);
        expect(result.hash).toBe(null);
      });

      test.each<[string, Record<string, unknown>]>([
        ['no chain id', { chainId: null }],
        ['no fee', { maxFeePerGas: null }],
        ['a number with a fraction', { value: 0.5 }],
        ['a negative number', { value: -1 }],
        ['true as a number', { nonce: true }],
        ['an unknown type', { type: 5 }],
      ])('%s -> ValueError before any request', async (_name, change) => {
        const fields = { chainId: 1, nonce: 3, gas: 21_000, maxFeePerGas: 9, to: address, ...change };
        const call = { method: 'sign_transaction', address, arguments: [fields] };
        expect(await python.call(call)).toMatchObject({ error: 'ValueError' });
      });

      test('a field that the API does not know -> ApiProblem', async () => {
        const fields = { chainId: 1, nonce: 3, gas: 21_000, maxFeePerGas: 9, to: address, colour: 'red' };
        expect(await python.call({ method: 'sign_transaction', address, arguments: [fields] })).toMatchObject(
          {
            error: 'ApiProblem',
            code: 'transaction_malformed',
          },
        );
      });
    });

    describe('sign_message', () => {
      test.each(Object.entries(MESSAGES))('%s', async (_name, message) => {
        const bytes =
          typeof message === 'string'
            ? stringToBytes(message)
            : typeof message.raw === 'string'
              ? hexToBytes(message.raw)
              : message.raw;
        const signature = await local.signMessage({ message });
        const { r, s, v } = parseSignature(signature);
        for (const defunct of ['own', 'foreign']) {
          const { result } = await python.call({
            method: 'sign_message',
            address,
            arguments: [bytes],
            defunct,
            keccak: true,
          });
          expect(result).toEqual({
            message_hash: hashMessage(message),
            r: String(hexToBigInt(r)),
            s: String(hexToBigInt(s)),
            v: String(v),
            signature,
          });
        }
        expect(await recoverMessageAddress({ message, signature })).toBe(address);
      });

      test('a text as it stands', async () => {
        const { result } = await python.call({ method: 'sign_message', address, arguments: ['Grüße'] });
        expect(result).toMatchObject({
          signature: await local.signMessage({ message: 'Grüße' }),
          message_hash: null,
        });
      });

      test.each([
        ['typed data in the form of a message', [Uint8Array.of(1), new Uint8Array(32), new Uint8Array(32)]],
        ['a message with a validator', [Uint8Array.of(0), new Uint8Array(20), Uint8Array.of(1)]],
        [
          'another length than that of the message',
          [Buffer.from('E'), Buffer.from('thereum Signed Message:\n9'), Uint8Array.of(1)],
        ],
      ])('%s -> unsupported_message', async (_name, parts) => {
        const call = { method: 'sign_message', address, arguments: parts, signable: true };
        expect(await python.call(call)).toMatchObject({ error: 'SigningError', code: 'unsupported_message' });
      });
    });

    describe('sign_typed_data', () => {
      test.each(Object.entries(TYPED_DATA))('%s', async (_name, typedData) => {
        const { domain, types, primaryType, message } = typedData;
        const signature = await local.signTypedData(typedData as never);
        const parts = await python.call({
          method: 'sign_typed_data',
          address,
          arguments: [domain, types, message],
        });
        expect(parts.result).toMatchObject({ signature, message_hash: null });
        const declared = ['name', 'version', 'chainId', 'verifyingContract', 'salt'].filter(
          (name) => name in domain,
        );
        const domainTypes: Record<string, string> = {
          chainId: 'uint256',
          verifyingContract: 'address',
          salt: 'bytes32',
        };
        const EIP712Domain = declared.map((name) => ({ name, type: domainTypes[name] ?? 'string' }));
        const full_message = { types: { EIP712Domain, ...types }, primaryType, domain, message };
        const full = await python.call({ method: 'sign_typed_data', address, named: { full_message } });
        expect(full.result.signature).toBe(signature);
        expect(await recoverTypedDataAddress({ ...typedData, signature } as never)).toBe(address);
      });

      test('bytes are signed as their hex digits', async () => {
        const types = { Vote: [{ name: 'choice', type: 'bytes32' }] } as const;
        const choice: Hex = `0x${'7f'.repeat(32)}`;
        const domain = { name: 'Votes' };
        const signature = await local.signTypedData({
          domain,
          types,
          primaryType: 'Vote',
          message: { choice },
        });
        const message = { choice: hexToBytes(choice) };
        const { result } = await python.call({
          method: 'sign_typed_data',
          address,
          arguments: [domain, types, message],
        });
        expect(result.signature).toBe(signature);
      });

      test('types with two candidates for the primary type -> ValueError', async () => {
        const types = { One: [{ name: 'a', type: 'bool' }], Two: [{ name: 'a', type: 'bool' }] };
        const call = { method: 'sign_typed_data', address, arguments: [{ name: 'x' }, types, { a: true }] };
        expect(await python.call(call)).toMatchObject({ error: 'ValueError' });
      });
    });

    test.each([
      ['unsafe_sign_hash', 'unsupported_hash'],
      ['signHash', 'unsupported_hash'],
      ['sign_authorization', 'unsupported_authorization'],
    ])('%s -> %s', async (method, code) => {
      expect(await python.call({ method, address, arguments: [new Uint8Array(32)] })).toMatchObject({
        error: 'SigningError',
        code,
      });
    });

    test('what the policy forbids is an ApiProblem, and what it allows is signed', async () => {
      await trader.owner.bots.setPolicy(trader.botId, { max_value: '1000' });
      const pay = (value: number) =>
        python.call({
          method: 'sign_transaction',
          address,
          arguments: [{ chainId: 1, nonce: 0, gas: 21_000, gasPrice: 1, to: address, value }],
        });
      expect(await pay(1001)).toMatchObject({ error: 'ApiProblem', code: 'policy_value_exceeded' });
      expect(await pay(1000)).toHaveProperty('result.raw_transaction');
      await trader.owner.bots.setPolicy(trader.botId, {});
    });

    test('after a rotation the old address signs nothing, and the new address does', async () => {
      const wallet = (await trader.runner.runner.bot(trader.botId)).wallets[0]?.id;
      const next = privateKeyToAccount(generatePrivateKey());
      const private_key = generatePrivateKey();
      const rotated = await trader.owner.clients.rotateKey(trader.clientId, { private_key });
      expect(rotated.address).not.toBe(next.address);
      const sign = (of: string, options = {}) =>
        python.call({ method: 'sign_message', address: of, arguments: ['hello'], ...options });
      expect(await sign(address)).toMatchObject({ error: 'ApiProblem', code: 'wallet_address_replaced' });
      expect(await sign(address, { wallet })).toMatchObject({
        error: 'SigningError',
        code: 'address_changed',
      });
      expect((await sign(rotated.address.toLowerCase())).result.signature).toBe(
        await privateKeyToAccount(private_key).signMessage({ message: 'hello' }),
      );
    });
  });

  describe('a Solana signer', () => {
    const local = Keypair.generate();
    const other = Keypair.generate();
    const address = local.publicKey.toBase58();
    let python: PythonSigner;
    beforeAll(async () => {
      [, python] = await signerOf(base58.encode(local.secretKey), 'solana-grid');
    });

    const sign = (method: string, bytes: Uint8Array) =>
      python.call({ method, address, arguments: [bytes], solana: true });

    function legacy(payer = local.publicKey) {
      const pay = SystemProgram.transfer({
        fromPubkey: local.publicKey,
        toPubkey: other.publicKey,
        lamports: 1,
      });
      return new Transaction({ feePayer: payer, blockhash: BLOCKHASH, lastValidBlockHeight: 1 }).add(pay);
    }

    function versioned(payer = local.publicKey) {
      const { instructions } = legacy();
      const message = new TransactionMessage({ payerKey: payer, recentBlockhash: BLOCKHASH, instructions });
      return new VersionedTransaction(message.compileToV0Message());
    }

    test('has its address', async () => {
      expect(await python.call({ method: 'pubkey', address, solana: true })).toEqual({ result: address });
      for (const malformed of ['', address.slice(4), `${address}${address}`, `0${address.slice(1)}`]) {
        const call = { method: 'pubkey', address: malformed, solana: true };
        expect(await python.call(call)).toMatchObject({ error: 'ValueError' });
      }
    });

    test("a legacy transaction and one of version 0 are signed as by web3.js' keypair", async () => {
      const unsigned = { requireAllSignatures: false };
      const [old, newer] = [legacy(), versioned()];
      const signedOld = await sign('sign_transaction', old.serialize(unsigned));
      const signedNewer = await sign('sign_transaction', newer.serialize());
      old.sign(local);
      newer.sign([local]);
      expect(signedOld.result).toBe(hex(old.serialize()));
      expect(signedNewer.result).toBe(hex(newer.serialize()));
    });

    test('the signature of a fee payer stays, and the message alone is signed too', async () => {
      const transaction = versioned(other.publicKey);
      transaction.sign([other]);
      const { result } = await sign('sign_transaction', transaction.serialize());
      const signed = VersionedTransaction.deserialize(hexToBytes(result));
      const message = signed.message.serialize();
      const valid = [other, local].map(({ publicKey }, place) =>
        ed25519.verify(signed.signatures[place] ?? new Uint8Array(64), message, publicKey.toBytes()),
      );
      expect(valid).toEqual([true, true]);
      const alone = await sign('sign_transaction_message', message);
      expect(alone.result).toBe(hex(signed.signatures[1] ?? new Uint8Array()));
    });

    test('a message is signed, and a message that could be a transaction is not', async () => {
      const text = new TextEncoder().encode('I own this account.');
      const signed = await sign('sign_message', text);
      expect(signed.result).toBe(hex(ed25519.sign(text, local.secretKey.slice(0, 32))));
      expect(await sign('sign_message', legacy().serializeMessage())).toMatchObject({
        error: 'ApiProblem',
        code: 'message_is_transaction',
      });
    });

    test('a transaction of version 1 is signed as by Kit, with the signatures after the message', async () => {
      const pay = transfer(address, other.publicKey.toBase58(), 1);
      const transaction = compiled(other.publicKey.toBase58(), [pay], { version: 1 });
      const pairs = await Promise.all(
        [other, local].map(({ secretKey }) => createKeyPairFromPrivateKeyBytes(secretKey.slice(0, 32))),
      );
      const signedBy = async (...signers: CryptoKeyPair[]) =>
        Uint8Array.from(getTransactionEncoder().encode(await partiallySignTransaction(signers, transaction)));
      const byOther = await signedBy(...pairs.slice(0, 1));
      const { result } = await sign('sign_transaction', byOther);
      expect(result).toBe(hex(await signedBy(...pairs)));
      for (const length of [1, 41, 60, byOther.length - 129]) {
        expect(await sign('sign_transaction', byOther.slice(0, length))).toMatchObject({
          error: 'ValueError',
        });
      }
    });

    test.each<[string, () => Uint8Array, string]>([
      ['a transaction of others', () => foreign(other), 'ValueError'],
      ['half a transaction', () => versioned().serialize().slice(0, 80), 'ValueError'],
      ['no bytes', () => new Uint8Array(), 'ValueError'],
      ['a version that does not exist', () => ofVersion(7), 'SigningError'],
    ])('%s -> an error before any request', async (_name, bytes, error) => {
      expect(await sign('sign_transaction', bytes())).toMatchObject({ error });
    });

    function foreign(payer: Keypair): Uint8Array {
      const pay = SystemProgram.transfer({
        fromPubkey: payer.publicKey,
        toPubkey: local.publicKey,
        lamports: 1,
      });
      const transaction = new Transaction({
        feePayer: payer.publicKey,
        blockhash: BLOCKHASH,
        lastValidBlockHeight: 1,
      });
      return transaction.add(pay).serialize({ requireAllSignatures: false });
    }

    function ofVersion(version: number): Uint8Array {
      const bytes = versioned().serialize();
      bytes[65] = 0x80 | version;
      return bytes;
    }
  });
});

const hex = (bytes: Uint8Array): string => `0x${Buffer.from(bytes).toString('hex')}`;

/** The dict that a user of eth-account has: numbers, not hex. */
function fieldsOf(transaction: (typeof TRANSACTIONS)[string]): Record<string, unknown> {
  const fields = describePayload(serializeTransaction(transaction));
  const numbers = [
    'type',
    'chainId',
    'nonce',
    'gas',
    'gasPrice',
    'value',
    'maxFeePerGas',
    'maxPriorityFeePerGas',
  ];
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      numbers.includes(name) ? BigInt(String(value)) : value,
    ]),
  );
}
