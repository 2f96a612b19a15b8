/** One of everything that an EVM account signs, in the form that viem accepts. */
import { parseGwei, type TransactionSerializable } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';

const TO = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8';
const fees = { maxFeePerGas: parseGwei('20'), maxPriorityFeePerGas: parseGwei('1') };
const accessList = [{ address: TO, storageKeys: [`0x${'0'.repeat(63)}1`] }] as const;

/** The account that delegates by EIP-7702. It signs its authorization itself. */
const delegator = privateKeyToAccount(`0x${'5'.repeat(64)}`);
const authorization = await delegator.signAuthorization({ contractAddress: TO, chainId: 31_337, nonce: 7 });

export const TRANSFER: TransactionSerializable = {
  type: 'eip1559',
  chainId: 31_337,
  nonce: 0,
  gas: 21_000n,
  to: TO,
  value: 1n,
  ...fees,
};

export const TRANSACTIONS: Record<string, TransactionSerializable> = {
  legacy: {
    type: 'legacy',
    chainId: 1,
    nonce: 3,
    gas: 21_000n,
    gasPrice: 10n ** 9n,
    to: TO,
    value: 10n ** 18n,
  },
  'legacy with nothing but a chain': { type: 'legacy', chainId: 1 },
  'legacy on a chain with a large id': {
    type: 'legacy',
    chainId: 1_313_161_554,
    gasPrice: 1n,
    gas: 1n,
    data: '0x00',
  },
  'EIP-2930': {
    type: 'eip2930',
    chainId: 10,
    gas: 50_000n,
    gasPrice: 7n,
    to: TO,
    data: '0xdeadbeef',
    accessList,
  },
  'EIP-1559': TRANSFER,
  'EIP-1559 without its type': { chainId: 31_337, gas: 21_000n, to: TO, value: 1n, ...fees },
  'EIP-1559 without fees': { type: 'eip1559', chainId: 31_337, nonce: 1, gas: 21_000n, to: TO },
  'EIP-1559 with an access list': {
    type: 'eip1559',
    chainId: 8453,
    nonce: 2 ** 40,
    gas: 1n,
    to: TO,
    accessList,
    ...fees,
  },
  'EIP-1559 that creates a contract': {
    type: 'eip1559',
    chainId: 31_337,
    gas: 90_000n,
    data: '0x6001600155',
    ...fees,
  },
  'EIP-1559 with all that a wallet has': {
    type: 'eip1559',
    chainId: 1,
    gas: 21_000n,
    to: TO,
    value: 2n ** 255n,
    ...fees,
  },
  'EIP-4844': {
    type: 'eip4844',
    chainId: 1,
    gas: 21_000n,
    to: TO,
    maxFeePerBlobGas: 3n,
    blobVersionedHashes: [`0x01${'ab'.repeat(31)}`],
    ...fees,
  },
  'EIP-7702': {
    type: 'eip7702',
    chainId: 31_337,
    nonce: 4,
    gas: 100_000n,
    to: TO,
    authorizationList: [authorization],
    ...fees,
  },
};

export const MESSAGES = {
  text: 'I own this account.',
  'an empty text': '',
  'text beyond ASCII': 'Grüße, 世界 🌍',
  'raw hex': { raw: '0x00ff10' },
  'raw bytes': { raw: Uint8Array.of(0, 1, 254, 255) },
  'raw bytes of a hash': { raw: `0x${'9c'.repeat(32)}` },
} as const;

const person = [
  { name: 'name', type: 'string' },
  { name: 'wallets', type: 'address[]' },
] as const;

export const TYPED_DATA = {
  'the mail of EIP-712': {
    domain: { name: 'Ether Mail', version: '1', chainId: 1, verifyingContract: TO },
    types: {
      Person: person,
      Mail: [
        { name: 'from', type: 'Person' },
        { name: 'to', type: 'Person[]' },
        { name: 'contents', type: 'string' },
      ],
    },
    primaryType: 'Mail',
    message: {
      from: { name: 'Cow', wallets: [TO] },
      to: [
        { name: 'Bob', wallets: [] },
        { name: 'Eve', wallets: [TO, TO] },
      ],
      contents: 'Hello',
    },
  },
  'a permit with numbers beyond 2^53': {
    domain: { name: 'USD Coin', version: '2', chainId: 8453n, verifyingContract: TO },
    types: {
      Permit: [
        { name: 'owner', type: 'address' },
        { name: 'spender', type: 'address' },
        { name: 'value', type: 'uint256' },
        { name: 'delta', type: 'int128' },
        { name: 'deadline', type: 'uint48' },
        { name: 'salt', type: 'bytes32' },
        { name: 'extra', type: 'bytes' },
        { name: 'final', type: 'bool' },
      ],
    },
    primaryType: 'Permit',
    message: {
      owner: TO,
      spender: TO,
      value: 2n ** 256n - 1n,
      delta: -(2n ** 100n),
      deadline: 1_800_000_000,
      salt: `0x${'7f'.repeat(32)}`,
      extra: '0x',
      final: true,
    },
  },
  'a domain with a salt and nothing else': {
    domain: { salt: `0x${'01'.repeat(32)}` },
    types: { Vote: [{ name: 'for', type: 'uint8' }] },
    primaryType: 'Vote',
    message: { for: 3 },
  },
} as const;
