import { keccak_256 } from '@noble/hashes/sha3.js';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import * as Rlp from 'ox/Rlp';

type Item = string | readonly Item[];
type Form = 'quantity' | 'bytes' | 'accessList' | 'authorizationList';

const FEES = { maxPriorityFeePerGas: 'quantity', maxFeePerGas: 'quantity' } as const;
const CALL = { gas: 'quantity', to: 'bytes', value: 'quantity', input: 'bytes' } as const;
const START = { chainId: 'quantity', nonce: 'quantity' } as const;
const SIGNATURE = { yParity: 'quantity', r: 'quantity', s: 'quantity' } as const;

/** The fields in their order (EIP-2718), by type. */
const FIELDS: Readonly<Record<string, Readonly<Record<string, Form>>>> = {
  '0x0': { nonce: 'quantity', gasPrice: 'quantity', ...CALL, v: 'quantity', r: 'quantity', s: 'quantity' },
  '0x1': { ...START, gasPrice: 'quantity', ...CALL, accessList: 'accessList', ...SIGNATURE },
  '0x2': { ...START, ...FEES, ...CALL, accessList: 'accessList', ...SIGNATURE },
  '0x3': {
    ...START,
    ...FEES,
    ...CALL,
    accessList: 'accessList',
    maxFeePerBlobGas: 'quantity',
    blobVersionedHashes: 'bytes',
    ...SIGNATURE,
  },
  '0x4': {
    ...START,
    ...FEES,
    ...CALL,
    accessList: 'accessList',
    authorizationList: 'authorizationList',
    ...SIGNATURE,
  },
};

/**
 * A signed transaction in the form of JSON-RPC, read from its bytes: the `tx` of `eth_signTransaction`.
 *
 * @param raw hex of a transaction that `finish` of a `Signing` returned
 */
export function describeSignedTransaction(raw: string): Readonly<Record<string, unknown>> {
  const isLegacy = Number.parseInt(raw.slice(2, 4), 16) >= 0xc0;
  const type = isLegacy ? '0x0' : `0x${Number.parseInt(raw.slice(2, 4), 16).toString(16)}`;
  const items = Rlp.toHex(`0x${raw.slice(isLegacy ? 2 : 4)}`) as readonly Item[];
  const fields = Object.entries(FIELDS[type] ?? {}).map(([name, form], index) => [
    name,
    written(items[index] ?? '0x', form, name),
  ]);
  const { chainId, v, yParity, ...others } = Object.fromEntries(fields);
  return {
    type,
    // EIP-155: the v of a legacy transaction is 35 or 36 and twice the chain id.
    chainId: chainId ?? `0x${((BigInt(v) - 35n) / 2n).toString(16)}`,
    ...others,
    v: v ?? yParity,
    ...(yParity !== undefined && { yParity }),
    hash: transactionHash(raw),
  };
}

export const transactionHash = (raw: string): string =>
  `0x${bytesToHex(keccak_256(hexToBytes(raw.slice(2))))}`;

/** RLP writes zero and an absent recipient as nothing. */
function written(item: Item, form: Form, name: string): unknown {
  switch (form) {
    case 'quantity':
      return item === '0x' ? '0x0' : `0x${BigInt(item as string).toString(16)}`;
    case 'bytes':
      return name === 'to' && item === '0x' ? null : item;
    case 'accessList':
      return listOf(item).map(([address, storageKeys]) => ({ address, storageKeys }));
    case 'authorizationList':
      return listOf(item).map(([chainId = '0x', address, nonce = '0x', ...signature]) => ({
        chainId: written(chainId, 'quantity', 'chainId'),
        address,
        nonce: written(nonce, 'quantity', 'nonce'),
        ...Object.fromEntries(
          Object.keys(SIGNATURE).map((part, index) => [
            part,
            written(signature[index] ?? '0x', 'quantity', part),
          ]),
        ),
      }));
  }
}

const listOf = (item: Item): readonly (readonly Item[])[] => item as readonly (readonly Item[])[];
