/** The values of transactions and authorizations. Each fault names its field, and what to send. */
import { SigningInputError, type SigningInputReason } from './input-error.ts';
import { addressFault, numberFault, readEvmAddress, readQuantity } from './values.ts';

export function malformed(
  field: string,
  detail: string,
  reason: SigningInputReason = 'transaction_malformed',
): SigningInputError {
  return new SigningInputError(reason, field, detail);
}

export function required<Value>(
  value: Value | undefined,
  field: string,
  fault: string,
  reason?: SigningInputReason,
): Value {
  if (value === undefined) throw malformed(field, fault, reason);
  return value;
}

export function quantity(value: unknown, field: string, max: bigint, reason?: SigningInputReason): bigint {
  const read = required(readQuantity(value), field, numberFault(value), reason);
  if (read > max) throw malformed(field, `must be at most ${max}`, reason);
  return read;
}

export function address(
  value: unknown,
  field: string,
  chainId?: string,
  reason?: SigningInputReason,
): `0x${string}` {
  return required(readEvmAddress(value, chainId), field, addressFault(value, chainId), reason);
}
