import { base64 } from '@scure/base';
import type { Binding } from '../../src/crypto/envelope.ts';

/** Two master keys with known bytes, and their texts as they are written in `ENCRYPTION_KEY`. */
export const FIRST_KEY = Uint8Array.from({ length: 32 }, (_, i) => i + 1);
export const SECOND_KEY = Uint8Array.from({ length: 32 }, (_, i) => 255 - i);
export const FIRST = base64.encode(FIRST_KEY);
export const SECOND = base64.encode(SECOND_KEY);

export const SECRET = Uint8Array.from({ length: 32 }, (_, i) => (i * 7 + 3) & 0xff);

export const BINDING: Binding = {
  clientId: '0f8fad5b-d9cb-469f-a165-70867728950e',
  chain: 'evm',
  address: '0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf',
  keyId: '0192f0c1-2b7a-7cc3-98c4-dc0c0c07398f',
};
