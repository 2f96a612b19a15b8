import { hexToBytes } from '@noble/hashes/utils.js';
import * as Eip1559 from 'ox/TxEnvelopeEip1559';
import * as Eip2930 from 'ox/TxEnvelopeEip2930';
import * as Eip4844 from 'ox/TxEnvelopeEip4844';
import * as Eip7702 from 'ox/TxEnvelopeEip7702';
import * as Legacy from 'ox/TxEnvelopeLegacy';
import { partsOf, signatureHex } from './evm-signature.ts';
import { TransactionFields } from './evm-transaction-fields.ts';
import { TYPE_NUMBERS } from './evm-transaction-names.ts';
import { malformed } from './evm-transaction-values.ts';
import { SigningInputError } from './input-error.ts';
import type { Signing } from './signing.ts';
import { isRecord } from './values.ts';

/** The fields that every type has. */
const COMMON = ['type', 'chainId', 'nonce', 'from', 'to', 'value', 'data', 'input', 'gas', 'gasLimit'];
const FEES = ['maxFeePerGas', 'maxPriorityFeePerGas'];

/** The index is the number of the type (EIP-2718). */
const TYPES = [
  {
    fields: ['gasPrice'],
    read: (fields: TransactionFields) => {
      const envelope = { type: 'legacy', ...common(fields), gasPrice: fields.fee('gasPrice') } as const;
      return coded(Legacy.getSignPayload(envelope), (signature) => Legacy.serialize(envelope, { signature }));
    },
  },
  {
    fields: ['gasPrice', 'accessList'],
    read: (fields: TransactionFields) => {
      const accessList = fields.accessList();
      const envelope = {
        type: 'eip2930',
        ...common(fields),
        accessList,
        gasPrice: fields.fee('gasPrice'),
      } as const;
      return coded(Eip2930.getSignPayload(envelope), (signature) =>
        Eip2930.serialize(envelope, { signature }),
      );
    },
  },
  {
    fields: [...FEES, 'accessList'],
    read: (fields: TransactionFields) => {
      const envelope = { type: 'eip1559', ...common(fields), ...fees(fields) } as const;
      return coded(Eip1559.getSignPayload(envelope), (signature) =>
        Eip1559.serialize(envelope, { signature }),
      );
    },
  },
  {
    fields: [...FEES, 'accessList', 'maxFeePerBlobGas', 'blobVersionedHashes'],
    read: (fields: TransactionFields) => {
      const envelope = {
        type: 'eip4844',
        ...common(fields),
        to: fields.requiredTo(),
        ...fees(fields),
        maxFeePerBlobGas: fields.fee('maxFeePerBlobGas'),
        blobVersionedHashes: fields.blobVersionedHashes(),
      } as const;
      return coded(Eip4844.getSignPayload(envelope), (signature) =>
        Eip4844.serialize(envelope, { signature }),
      );
    },
  },
  {
    fields: [...FEES, 'accessList', 'authorizationList'],
    read: (fields: TransactionFields) => {
      const envelope = {
        type: 'eip7702',
        ...common(fields),
        to: fields.requiredTo(),
        ...fees(fields),
        authorizationList: fields.authorizationList(),
      } as const;
      return coded(Eip7702.getSignPayload(envelope), (signature) =>
        Eip7702.serialize(envelope, { signature }),
      );
    },
  },
] as const;

/**
 * Parses an EVM transaction with the field names of JSON-RPC, or `gasLimit` for `gas`. Quantities are hex or decimal texts or
 * safe integers. Without `type`, the fields determine it. A field that is null is absent. The only defaults are `value`, `data`, an empty access list and a tip of zero. A field
 * that the type does not have is rejected, because the caller would think that it was signed.
 *
 * @throws {SigningInputError} `transaction_malformed`
 */
export function readEvmTransaction(transaction: Readonly<Record<string, unknown>>): Signing {
  if (!isRecord(transaction)) throw new SigningInputError('transaction_malformed');
  const fields = new TransactionFields(transaction);
  const number = fields.type();
  const type = number === undefined ? undefined : TYPES[number];
  if (number === undefined || !type)
    throw malformed('type', `must be 0 to 4, or one of ${Object.keys(TYPE_NUMBERS).join(', ')}`);
  fields.allowOnly([...COMMON, ...type.fields], number);
  const to = fields.to();
  const from = fields.from();
  const { digest, serialize } = encoded(() => type.read(fields));
  return {
    kind: 'evm.transaction',
    chain: 'evm',
    chainId: String(fields.chainId()),
    recipients: to === null ? [] : [to],
    value: fields.value(),
    ...(from && { signers: [from] }),
    payload: hexToBytes(digest.slice(2)),
    finish: (signature) => ({
      signature: signatureHex(signature),
      // ox keeps the upper case letters of addresses with a checksum.
      signed_transaction: serialize(partsOf(signature)).toLowerCase(),
    }),
  };
}

interface Coded {
  readonly digest: string;
  readonly serialize: (signature: ReturnType<typeof partsOf>) => string;
}

const coded = (digest: string, serialize: Coded['serialize']): Coded => ({ digest, serialize });

function common(fields: TransactionFields) {
  return {
    chainId: fields.chainId(),
    nonce: fields.nonce(),
    gas: fields.gas(),
    to: fields.to(),
    value: fields.value(),
    data: fields.data(),
  };
}

function fees(fields: TransactionFields) {
  const maxFeePerGas = fields.fee('maxFeePerGas');
  const maxPriorityFeePerGas = fields.fee('maxPriorityFeePerGas', 0n);
  if (maxPriorityFeePerGas > maxFeePerGas) {
    throw malformed('maxPriorityFeePerGas', 'must not be more than maxFeePerGas');
  }
  return { maxFeePerGas, maxPriorityFeePerGas, accessList: fields.accessList() };
}

/** Rejects what only the encoder finds. Its error is dropped, because the message quotes values. */
function encoded(read: () => Coded): Coded {
  try {
    return read();
  } catch (error) {
    throw error instanceof SigningInputError ? error : new SigningInputError('transaction_malformed');
  }
}
