import { type Hex, hexToBigInt, numberToHex, parseTransaction, serializeTransaction } from 'viem';
import { SigningError } from './errors.ts';

/** By type: its number (EIP-2718), and the fees that it always has. RLP writes zero as nothing, JSON-RPC as 0x0. */
const TYPES = {
  legacy: { type: '0x0', gasPrice: '0x0' },
  eip2930: { type: '0x1', gasPrice: '0x0' },
  eip1559: { type: '0x2', maxFeePerGas: '0x0', maxPriorityFeePerGas: '0x0' },
  eip4844: { type: '0x3', maxFeePerGas: '0x0', maxPriorityFeePerGas: '0x0', maxFeePerBlobGas: '0x0' },
  eip7702: { type: '0x4', maxFeePerGas: '0x0', maxPriorityFeePerGas: '0x0' },
} as const;

/**
 * The fields of an unsigned transaction, read from the very bytes that will be signed: with the names of JSON-RPC,
 * and quantities in hex.
 *
 * @throws {SigningError} unsupported_transaction: it is of a format that one chain alone has
 */
export function describePayload(payload: Hex): Record<string, unknown> {
  const transaction = parse(payload);
  if (!transaction || serializeTransaction(transaction) !== payload) {
    throw new SigningError('The chain has a transaction format of its own.', 'unsupported_transaction');
  }
  const { type, authorizationList, ...fields } = transaction;
  return {
    ...TYPES[type ?? 'legacy'],
    ...quantities({ nonce: 0, gas: 0, ...fields }),
    ...(authorizationList && {
      authorizationList: authorizationList.map(({ address, chainId, nonce, r, s, yParity }) => ({
        address,
        ...quantities({ chainId, nonce, yParity, r: hexToBigInt(r), s: hexToBigInt(s) }),
      })),
    }),
  };
}

function parse(payload: Hex) {
  try {
    return parseTransaction(payload);
  } catch {
    return undefined;
  }
}

function quantities(fields: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [
        name,
        typeof value === 'bigint' || typeof value === 'number' ? numberToHex(value) : value,
      ]),
  );
}
