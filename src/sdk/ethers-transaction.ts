import { Transaction, toQuantity } from 'ethers';

/** The fees of each type (EIP-2718). JSON-RPC requires them, also if they are zero. */
const LEGACY_FEES = ['gasPrice'] as const;
const FEES = ['maxFeePerGas', 'maxPriorityFeePerGas'] as const;
const FEES_OF_TYPE = [LEGACY_FEES, LEGACY_FEES, FEES, [...FEES, 'maxFeePerBlobGas'], FEES] as const;

/**
 * The fields of an unsigned transaction, read from the very bytes that will be signed: with the names of JSON-RPC, and
 * quantities in hex.
 */
export function describeTransaction(unsigned: string): Record<string, unknown> {
  const transaction = Transaction.from(unsigned);
  const { type, to, data, accessList, blobVersionedHashes, authorizationList } = transaction;
  const fees = FEES_OF_TYPE[type ?? 0] ?? FEES;
  return {
    type: toQuantity(type ?? 0),
    chainId: toQuantity(transaction.chainId),
    nonce: toQuantity(transaction.nonce),
    gas: toQuantity(transaction.gasLimit),
    value: toQuantity(transaction.value),
    ...Object.fromEntries(fees.map((fee) => [fee, toQuantity(transaction[fee] ?? 0)])),
    ...(to !== null && { to }),
    ...(data !== '0x' && { data }),
    ...(type !== 0 && accessList?.length && { accessList }),
    ...(blobVersionedHashes && { blobVersionedHashes }),
    ...(authorizationList && {
      authorizationList: authorizationList.map(({ address, chainId, nonce, signature }) => ({
        address,
        chainId: toQuantity(chainId),
        nonce: toQuantity(nonce),
        yParity: toQuantity(signature.yParity),
        r: toQuantity(signature.r),
        s: toQuantity(signature.s),
      })),
    }),
  };
}
