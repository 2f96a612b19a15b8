import fc from 'fast-check';
import {
  getAddress,
  keccak256,
  pad,
  parseTransaction,
  recoverTransactionAddress,
  type Signature,
  type TransactionSerializable,
  type TransactionSerializedEIP1559,
  toHex,
} from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { describe, expect, it } from 'vitest';
import { readSigning, type SigningInputError } from '../../src/signing/index.ts';
import { asRpc, TRANSACTIONS } from '../support/arbitraries.ts';
import { newEvmKey } from '../support/private-keys.ts';
import { EIP55 } from '../support/published-keys.ts';
import { refusalOf, signedBy } from './signed.ts';

const key = newEvmKey();
const account = privateKeyToAccount(key.privateKey as `0x${string}`);
const request = (transaction: Record<string, unknown>) => ({ type: 'evm.transaction', transaction }) as const;

describe('a transaction gets the same bytes and signature as from viem', () => {
  it.each([0, 1, 2, 3, 4])('of type %i', async (type) => {
    const property = fc.asyncProperty(TRANSACTIONS[type] ?? fc.constant(undefined), async (transaction) => {
      if (!transaction) throw new TypeError('no such type');
      const expected = await account.signTransaction(transaction);
      const { signed_transaction, signature, signing } = await signedBy(key, request(asRpc(transaction)));
      expect(signed_transaction).toBe(expected);
      const { r = '0x', s = '0x', yParity, v } = parseTransaction(expected) as Partial<Signature>;
      const parity = yParity ?? Number((v ?? 0n) - 35n) % 2;
      expect(signature).toBe(`${pad(r)}${pad(s).slice(2)}${parity === 1 ? '1c' : '1b'}`);
      expect(signing).toMatchObject({
        kind: 'evm.transaction',
        chain: 'evm',
        chainId: String(transaction.chainId),
        value: transaction.value ?? 0n,
        recipients: transaction.to ? [transaction.to] : [],
      });
    });
    await fc.assert(property, { numRuns: 60 });
  });
});

const transaction = {
  type: '0x2',
  chainId: '0x1',
  nonce: '0x0',
  to: key.address,
  value: '0x1',
  gas: '0x5208',
  maxFeePerGas: '0x2',
  maxPriorityFeePerGas: '0x1',
};
const { type: _, ...untyped } = transaction;
const { gas: _4, ...gasless } = transaction;
const { maxFeePerGas: _1, maxPriorityFeePerGas: _2, type: _3, ...feeless } = transaction;
const entry = { address: key.address, storageKeys: [`0x${'00'.repeat(32)}`] };
const authorization = { address: key.address, chainId: 1, nonce: 0, yParity: 0, r: '0x1', s: '0x1' };
const blob = `0x01${'00'.repeat(31)}`;

describe('different notations of the same transaction', () => {
  const { payload } = refusalOf(request(transaction)) as { payload: Uint8Array };

  it.each<[string, Record<string, unknown>]>([
    ['decimal text', { ...asDecimal(transaction) }],
    [
      'numbers',
      {
        ...transaction,
        nonce: 0,
        value: 1,
        gas: 21000,
        chainId: 1,
        maxFeePerGas: 2,
        maxPriorityFeePerGas: 1,
      },
    ],
    ['leading zeros', { ...transaction, value: '0x0001', gas: '0021000' }],
    ['capital hex digits', { ...transaction, gas: '0X5208'.toLowerCase(), data: '0x' }],
    ['an address in lower case', { ...transaction, to: key.address.toLowerCase() }],
    ['no type', untyped],
    ['the name of its type', { ...transaction, type: 'eip1559' }],
    ['a decimal type', { ...transaction, type: '2' }],
    ['gasLimit, as in ethers', { ...gasless, gasLimit: '21000' }],
    ['gasLimit equal to gas', { ...transaction, gasLimit: 21_000 }],
    ['gasLimit that is null', { ...transaction, gasLimit: null }],
    ['nulls for what is absent', { ...transaction, accessList: null, data: null, from: null }],
    ['null for a field of another type', { ...transaction, gasPrice: null, maxFeePerBlobGas: null }],
    ['null for a field that no type has', { ...transaction, hash: null, blockNumber: null }],
    [
      'the JSON of a Transaction of ethers',
      {
        type: 2,
        to: key.address,
        data: '0x',
        nonce: 0,
        gasLimit: '21000',
        gasPrice: null,
        maxPriorityFeePerGas: '1',
        maxFeePerGas: '2',
        value: '1',
        chainId: '1',
        sig: null,
        accessList: [],
      },
    ],
    ['an empty access list', { ...transaction, accessList: [] }],
    ['equal input and data', { ...transaction, data: '0x', input: '0x' }],
  ])('%s', (_name, written) => {
    expect(refusalOf(request(written))).toMatchObject({ payload });
  });

  it('from is passed on as the required signer', () => {
    expect(refusalOf(request(transaction))).not.toHaveProperty('signers');
    const signing = refusalOf(request({ ...transaction, from: key.address.toLowerCase() }));
    expect(signing).toMatchObject({ signers: [key.address], payload });
  });

  it.each([
    [{ gasPrice: '0x1' }, 0],
    [{ gasPrice: '0x1', accessList: [entry] }, 1],
    [{ maxFeePerGas: '0x1' }, 2],
    [{ maxFeePerGas: '0x1', maxFeePerBlobGas: '0x1', blobVersionedHashes: [blob] }, 3],
    [{ maxFeePerGas: '0x1', authorizationList: [authorization] }, 4],
  ])('without a type, %o has type %i', (fields, type) => {
    const typed = refusalOf(request({ ...feeless, ...fields, type }));
    expect(refusalOf(request({ ...feeless, ...fields }))).toMatchObject({
      payload: (typed as { payload: Uint8Array }).payload,
    });
  });

  it('without to, creates a contract', async () => {
    const { to: _to, ...creation } = { ...transaction, data: '0x60006000' };
    for (const written of [creation, { ...creation, to: null }]) {
      const { signed_transaction, signing } = await signedBy(key, request(written));
      expect(signing.recipients).toEqual([]);
      const serializedTransaction = signed_transaction as TransactionSerializedEIP1559;
      expect(await recoverTransactionAddress({ serializedTransaction })).toBe(key.address);
    }
  });
});

/** The examples of EIP-1191. */
const RSK = {
  mainnet: '0x27b1FdB04752BBc536007A920D24ACB045561c26',
  testnet: '0x27B1FdB04752BbC536007a920D24acB045561C26',
};

describe('an address with the checksum of EIP-1191', () => {
  const signed = (chainId: number, to: string) =>
    refusalOf(request({ ...transaction, chainId, to, accessList: [{ ...entry, address: to }] }));

  it.each([
    [30, RSK.mainnet],
    [31, RSK.testnet],
  ])('on chain %i -> the same transaction as in lower case, for a policy too', (chainId, to) => {
    const { payload } = signed(chainId, to.toLowerCase()) as { payload: Uint8Array };
    expect(signed(chainId, to)).toMatchObject({ payload, recipients: [getAddress(to.toLowerCase())] });
    // Libraries write EIP-55 on every chain.
    expect(signed(chainId, getAddress(to.toLowerCase()))).toMatchObject({ payload });
  });
});

/** The reasons are what a caller reads. They name the remedy, and never a value. */
describe('the reason of a rejection', () => {
  const detailOf = (fields: object): string => {
    try {
      readSigning(request({ ...transaction, ...fields }));
    } catch (error) {
      return (error as SigningInputError).detail;
    }
    return 'signed';
  };

  it.each<[string, object, RegExp]>([
    ['a JSON number beyond 2^53', { value: 10_000_000_000_000_000 }, /2\^53.*decimal or hex text/],
    ['a JSON number that is not whole', { value: 1.5 }, /integer/],
    ['a missing nonce', { nonce: null }, /required/],
    ['a wrong checksum', { to: EIP55.mixed[0].replace('a', 'A') }, /checksum/],
    ['an address of Solana', { to: '11111111111111111111111111111111' }, /Solana/],
    ['snake case', { gas_price: 1 }, /send gasPrice$/],
    ['wrong capitals', { gaslimit: 1 }, /send gasLimit$/],
    ['chainID', { chainID: 1 }, /send chainId$/],
    ['fees of another type', { gasPrice: 1 }, /type 2.*gasPrice.*or maxFeePerGas/],
    ['account of viem', { account: key.address }, /from/],
    ['chain of viem and web3.js', { chain: { id: 1 } }, /chainId/],
    ['blobs', { blobs: [] }, /blobVersionedHashes/],
    ['a signed transaction', { hash: '0x12' }, /without its signature/],
    ['customData of ZKsync', { customData: {} }, /only some chains/],
    ['a type as text', { type: 'eip155' }, /legacy, eip2930, eip1559/],
  ])('%s -> names the cause and what to send', (_, fields, detail) => {
    expect(detailOf(fields)).toMatch(detail);
  });
});

describe('the largest transactions', () => {
  const sign = async (fields: TransactionSerializable) => {
    const { signed_transaction } = await signedBy(key, request(asRpc(fields)));
    expect(signed_transaction).toBe(await account.signTransaction(fields));
    return ((signed_transaction?.length ?? 0) - 2) / 2;
  };
  const fees = { maxFeePerGas: 2n, maxPriorityFeePerGas: 1n, gas: 2n ** 24n, nonce: 0, chainId: 1 };
  const item = (index: number) => ({ address: pad(toHex(index), { size: 20 }), storageKeys: [] });

  it('initcode of 49,152 bytes (EIP-3860) -> as from viem', async () => {
    expect(await sign({ ...fees, type: 'eip1559', data: `0x${'5b'.repeat(49_152)}` })).toBeGreaterThan(
      49_152,
    );
  });

  it('an access list of 128 KiB, all addresses or all keys -> as from viem', async () => {
    const addresses = Array.from({ length: 5461 }, (_, index) => item(index));
    expect(await sign({ ...fees, type: 'eip1559', accessList: addresses })).toBeGreaterThan(125_000);
    const storageKeys = Array.from({ length: 3971 }, (_, index) => pad(toHex(index), { size: 32 }));
    const accessList = [{ ...item(1), storageKeys }];
    expect(await sign({ ...fees, type: 'eip1559', accessList })).toBeGreaterThan(130_000);
  });
});

describe('a transaction that is rejected before a key is checked out', () => {
  const refused: [string, Record<string, unknown>, string][] = [
    ['no chain id', { chainId: undefined }, 'chainId'],
    ['chain id 0', { chainId: '0x0' }, 'chainId'],
    ['a chain id whose v would not be a safe integer', { chainId: '4503599627370465' }, 'chainId'],
    ['no nonce', { nonce: undefined }, 'nonce'],
    ['a nonce of 2^64 - 1 (EIP-2681)', { nonce: String(2n ** 64n - 1n) }, 'nonce'],
    ['no gas', { gas: undefined }, 'gas'],
    ['gas of 2^64', { gas: String(2n ** 64n) }, 'gas'],
    ['no fee', { maxFeePerGas: undefined }, 'maxFeePerGas'],
    ['a tip above the fee', { maxPriorityFeePerGas: '0x3' }, 'maxPriorityFeePerGas'],
    ['a value of 2^256', { value: `0x1${'0'.repeat(64)}` }, 'value'],
    ['a negative value', { value: '-1' }, 'value'],
    ['a negative number', { value: -1 }, 'value'],
    ['a value that is not an integer', { value: 1.5 }, 'value'],
    ['a number that is not a safe integer', { value: 2 ** 53 }, 'value'],
    ['a value in exponents', { value: '1e18' }, 'value'],
    ['an empty value', { value: '' }, 'value'],
    ['hex without digits', { value: '0x' }, 'value'],
    ['white space', { value: ' 1' }, 'value'],
    ['a value that is a list', { value: ['0x1'] }, 'value'],
    ['a value that is true', { value: true }, 'value'],
    ['79 digits', { value: '0'.repeat(79) }, 'value'],
    ['to with a wrong checksum', { to: EIP55.mixed[0].replace('a', 'A') }, 'to'],
    ['to of 19 bytes', { to: `0x${'00'.repeat(19)}` }, 'to'],
    ['to that is a name', { to: 'vitalik.eth' }, 'to'],
    ['to that is empty', { to: '' }, 'to'],
    ['to of Solana', { to: '11111111111111111111111111111111' }, 'to'],
    ['from that is malformed', { from: '0x1' }, 'from'],
    ['data of half a byte', { data: '0x123' }, 'data'],
    ['data that is not hex', { data: 'hello' }, 'data'],
    ['data that differs from input', { data: '0x12', input: '0x34' }, 'input'],
    ['an unknown field', { gazLimit: '0x5208' }, 'gazLimit'],
    ['an unknown field named like a key', { ['ab'.repeat(32)]: '0x5208' }, '(not shown)'],
    ['a field of another type', { gasPrice: '0x1' }, 'gasPrice'],
    ['gasLimit that differs from gas', { gasLimit: '0x5209' }, 'gasLimit'],
    ['a malformed gasLimit', { gasLimit: 'many' }, 'gasLimit'],
    ['a signature', { v: '0x0', r: '0x1', s: '0x1' }, 'v'],
    ['sidecars', { sidecars: [] }, 'sidecars'],
    ['data with 0X', { data: '0X12' }, 'data'],
    ['type 5', { type: '0x5' }, 'type'],
    ['type 255', { type: '0xff' }, 'type'],
    ['type 256', { type: '0x100' }, 'type'],
    ['a name that no type has', { type: 'eip155' }, 'type'],
    ['a type named like a member of every object', { type: 'toString' }, 'type'],
    ['an access list that is not a list', { accessList: 'all' }, 'accessList'],
    ['an access list of pairs', { accessList: [[key.address, []]] }, 'accessList/0'],
    [
      'a storage key of 31 bytes',
      { accessList: [{ ...entry, storageKeys: ['0x00'] }] },
      'accessList/0/storageKeys/0',
    ],
    ['no storage keys', { accessList: [{ address: key.address }] }, 'accessList/0/storageKeys'],
    [
      'an entry with a malformed address',
      { accessList: [entry, { ...entry, address: '0x' }] },
      'accessList/1/address',
    ],
    ['an entry with an additional member', { accessList: [{ ...entry, more: 1 }] }, 'accessList/0'],
    ['4,097 entries with one key', { accessList: Array(4097).fill(entry) }, 'accessList'],
    ['an EIP-1191 checksum of another chain', { to: RSK.mainnet }, 'to'],
    ['an EIP-1191 checksum of another chain that has one', { chainId: 31, to: RSK.mainnet }, 'to'],
    ['a wrong EIP-1191 checksum', { chainId: 30, to: RSK.mainnet.replace('b', 'B') }, 'to'],
  ];
  it.each(refused)('%s', (_name, fields, field) => {
    expect(refusalOf(request({ ...transaction, ...fields }))).toBe(`transaction_malformed ${field}`.trim());
  });

  const ofOtherTypes: [string, Record<string, unknown>, string][] = [
    ['a legacy transaction without a chain', { type: 0, gasPrice: 1, chainId: undefined }, 'chainId'],
    ['a legacy transaction with an access list', { type: 0, gasPrice: 1, accessList: [] }, 'accessList'],
    ['both kinds of fees without a type', { gasPrice: 1, maxFeePerGas: 1 }, 'maxFeePerGas'],
    [
      'blobs without a recipient',
      { type: 3, maxFeePerGas: 1, maxFeePerBlobGas: 1, blobVersionedHashes: [blob], to: null },
      'to',
    ],
    [
      'no blobs',
      { type: 3, maxFeePerGas: 1, maxFeePerBlobGas: 1, blobVersionedHashes: [] },
      'blobVersionedHashes',
    ],
    [
      'a blob hash of version 2',
      { type: 3, maxFeePerGas: 1, maxFeePerBlobGas: 1, blobVersionedHashes: [`0x02${'00'.repeat(31)}`] },
      '',
    ],
    ['blobs without a fee', { type: 3, maxFeePerGas: 1, blobVersionedHashes: [blob] }, 'maxFeePerBlobGas'],
    ['no authorizations', { type: 4, maxFeePerGas: 1, authorizationList: [] }, 'authorizationList'],
    [
      'an unsigned authorization',
      { type: 4, maxFeePerGas: 1, authorizationList: [{ address: key.address, chainId: 1, nonce: 0 }] },
      'authorizationList/0/yParity',
    ],
    [
      'an authorization with parity 2',
      { type: 4, maxFeePerGas: 1, authorizationList: [{ ...authorization, yParity: 2 }] },
      'authorizationList/0/yParity',
    ],
    [
      'an authorization whose v differs',
      { type: 4, maxFeePerGas: 1, authorizationList: [{ ...authorization, v: 28 }] },
      'authorizationList/0/yParity',
    ],
    [
      'an authorization of ethers',
      { type: 4, maxFeePerGas: 1, authorizationList: [{ ...authorization, signature: {} }] },
      'authorizationList/0/signature',
    ],
    [
      'an authorization with a high s',
      { type: 4, maxFeePerGas: 1, authorizationList: [{ ...authorization, s: `0x${'f'.repeat(64)}` }] },
      'authorizationList/0/s',
    ],
    [
      'an authorization with an additional member',
      { type: 4, maxFeePerGas: 1, authorizationList: [{ ...authorization, x: 1 }] },
      'authorizationList/0',
    ],
  ];
  it.each(ofOtherTypes)('%s', (_name, fields, field) => {
    expect(refusalOf(request({ ...feeless, ...fields }))).toBe(`transaction_malformed ${field}`.trim());
  });

  it('a member that every object inherits', () => {
    for (const name of ['toString', 'constructor', '__proto__']) {
      const parsed = JSON.parse(`{"${name}": "0x1"}`);
      expect(refusalOf(request(Object.assign(Object.create(parsed), transaction)))).toHaveProperty('payload');
      expect(
        refusalOf(request(JSON.parse(JSON.stringify(transaction).replace('{', `{"${name}":"0x1",`)))),
      ).toBe(`transaction_malformed ${name}`);
    }
  });
});

it('the digest is the hash of the serialized transaction without a signature', async () => {
  const property = fc.asyncProperty(TRANSACTIONS[2] ?? fc.constant(undefined), async (random) => {
    if (!random) throw new TypeError('no such type');
    const { signed_transaction } = await signedBy(key, request(asRpc(random, String)));
    expect(keccak256(signed_transaction as `0x${string}`)).toBe(
      keccak256(await account.signTransaction(random)),
    );
  });
  await fc.assert(property, { numRuns: 20 });
});

function asDecimal(fields: Record<string, string>) {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, name === 'to' ? value : String(BigInt(value))]),
  );
}
