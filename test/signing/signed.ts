/** Signs as the product does with a key, without the database: read, sign, finish. */
import { SigningError, signAs } from '../../src/keys/index.ts';
import {
  readSigning,
  type Signing,
  SigningInputError,
  type SigningRequest,
} from '../../src/signing/index.ts';
import type { TestKey } from '../support/private-keys.ts';

export async function signedBy(key: TestKey, request: SigningRequest) {
  const signing = readSigning(request);
  const signature = await signAs(key, signing.payload, key.secret);
  return { signing, ...(await signing.finish(signature, key.address)) };
}

/** `reason field`, or the parsed request if it is valid. */
export function refusalOf(request: SigningRequest): string | Signing {
  try {
    return readSigning(request);
  } catch (error) {
    if (error instanceof SigningInputError) return `${error.reason} ${error.field}`.trim();
    throw error;
  }
}

export { SigningError };
