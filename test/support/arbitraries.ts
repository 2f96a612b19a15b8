/** Random requests to sign, as libraries represent them and as JSON-RPC writes them. */
import fc from 'fast-check';
import { getAddress, type Hex, type TransactionSerializable, toHex } from 'viem';

/** The largest accepted chain id. */
const MAX_CHAIN_ID = 4503599627370464;
const UINT64 = 2n ** 64n - 1n;
const UINT256 = 2n ** 256n - 1n;

export const hex = (size: { minLength?: number; maxLength: number }): fc.Arbitrary<Hex> =>
  fc.uint8Array(size).map((bytes) => toHex(bytes));
export const bytes = (size: number) => hex({ minLength: size, maxLength: size });
export const address = bytes(20).map((lower) => getAddress(lower));
const absent = fc.constant(undefined);
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.oneof(absent, arbitrary);
/** Small and large numbers, and the limits of every width. */
const uint = (max: bigint) =>
  fc.oneof(
    fc.bigInt({ min: 0n, max }),
    fc.bigInt({ min: 0n, max: 300n }),
    fc.constantFrom(0n, 127n, 128n, max),
  );

const common = {
  chainId: fc.oneof(
    fc.integer({ min: 1, max: 300 }),
    fc.oneof(fc.integer({ min: 1, max: MAX_CHAIN_ID }), fc.constantFrom(MAX_CHAIN_ID - 1, MAX_CHAIN_ID)),
  ),
  nonce: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
  gas: uint(UINT64),
  value: optional(uint(UINT256)),
  data: optional(hex({ maxLength: 100 })),
};
const to = { to: optional(address) };
const accessList = optional(
  fc.array(fc.record({ address, storageKeys: fc.array(bytes(32), { maxLength: 3 }) }), { maxLength: 3 }),
);
/** A tip is never larger than the whole fee. */
const fees = fc
  .tuple(uint(UINT256), uint(UINT256))
  .map(([one, other]) =>
    one > other
      ? { maxFeePerGas: one, maxPriorityFeePerGas: other }
      : { maxFeePerGas: other, maxPriorityFeePerGas: one },
  );
const withFees = <T extends object>(fields: fc.Arbitrary<T>) =>
  fc.tuple(fields, fees).map(([rest, both]) => ({ ...rest, ...both }));

const HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n;
const authorization = fc.record({
  address,
  chainId: fc.integer({ min: 0, max: 10_000 }),
  nonce: fc.integer({ min: 0, max: 10_000 }),
  yParity: fc.constantFrom(0, 1),
  r: fc.bigInt({ min: 1n, max: HALF_ORDER }).map((r) => toHex(r, { size: 32 })),
  s: fc.bigInt({ min: 1n, max: HALF_ORDER }).map((s) => toHex(s, { size: 32 })),
});

/** By the number of the type, as viem accepts it. */
export const TRANSACTIONS: readonly fc.Arbitrary<TransactionSerializable>[] = [
  fc.record({ ...common, ...to, type: fc.constant('legacy' as const), gasPrice: uint(UINT256) }),
  fc.record({ ...common, ...to, type: fc.constant('eip2930' as const), gasPrice: uint(UINT256), accessList }),
  withFees(fc.record({ ...common, ...to, type: fc.constant('eip1559' as const), accessList })),
  withFees(
    fc.record({
      ...common,
      to: address,
      type: fc.constant('eip4844' as const),
      accessList,
      maxFeePerBlobGas: uint(UINT256),
      blobVersionedHashes: fc.array(
        bytes(31).map((rest) => `0x01${rest.slice(2)}` as const),
        { minLength: 1, maxLength: 4 },
      ),
    }),
  ) as fc.Arbitrary<TransactionSerializable>,
  withFees(
    fc.record({
      ...common,
      to: address,
      type: fc.constant('eip7702' as const),
      accessList,
      authorizationList: fc.array(authorization, { minLength: 1, maxLength: 3 }),
    }),
  ) as fc.Arbitrary<TransactionSerializable>,
];

const TYPE_NUMBERS = ['legacy', 'eip2930', 'eip1559', 'eip4844', 'eip7702'];

/** As JSON-RPC writes it: numbers by `quantity`, absent fields omitted. */
export function asRpc(
  transaction: TransactionSerializable,
  quantity: (value: number | bigint) => unknown = (value) => toHex(value),
): Record<string, unknown> {
  const convert = (value: unknown): unknown => {
    if (typeof value === 'bigint' || typeof value === 'number') return quantity(value);
    if (Array.isArray(value)) return value.map(convert);
    if (typeof value === 'object' && value !== null)
      return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, convert(member)]));
    return value;
  };
  const { type, ...rest } = transaction;
  const fields = Object.entries(rest).filter(([, value]) => value !== undefined);
  return {
    type: quantity(TYPE_NUMBERS.indexOf(type ?? '')),
    ...(convert(Object.fromEntries(fields)) as object),
  };
}
