/**
 * A process that signs and then waits until its memory is searched. It gets what the product has: the master key and
 * an envelope. The test that started it knows the private key; this process must not keep it in memory.
 *
 * Input, one line of JSON: {masterKey, key, request, how}. Output: a line with the signature, or the problem's code.
 */
import { createInterface } from 'node:readline';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { open } from '../../src/crypto/envelope.ts';
import { parseKeyring } from '../../src/crypto/keyring.ts';
import type { CheckedOutKey, RunnerDatabase } from '../../src/database/as-runner.ts';
import { wipe } from '../../src/keys/index.ts';
import { Library } from '../../src/keys/libsecp256k1.ts';
import { sign } from '../../src/services/sign.ts';
import { readSigning, type SigningRequest } from '../../src/signing/index.ts';

export interface Task {
  readonly masterKey: string;
  readonly key: CheckedOutKey;
  readonly request: SigningRequest;
  /** The product; or a variant with noble's own signing; or one of two variants without wiping. */
  readonly how: 'product' | 'noble' | 'unwiped' | 'unwiped library';
}

async function signature({ masterKey, key, request, how }: Task): Promise<string> {
  const keyring = await parseKeyring(masterKey);
  if (how === 'product') {
    const database = { checkOutKey: async () => key } as unknown as RunnerDatabase;
    const signing = sign({ database, keyring: async () => keyring }, 'a bot', request);
    return signing.then(
      (answer) => answer.signature,
      (error) => error.code,
    );
  }
  const { client_id: clientId, chain, address, key_id: keyId } = key;
  const secret = await open(key.encrypted_key, { clientId, chain, address, keyId }, keyring);
  if (how === 'unwiped') {
    Object.assign(globalThis, { secret });
    return 'none';
  }
  try {
    if (how === 'unwiped library') {
      const library = new Library();
      Object.assign(globalThis, { library });
      library.memory.set(secret, library.allocate(32));
      return 'none';
    }
    const { payload, finish } = readSigning(request);
    const [parity = 0, ...rest] = secp256k1.sign(payload, secret, { prehash: false, format: 'recovered' });
    const signed = await finish(Uint8Array.from([...rest, parity]), address);
    return signed.signature;
  } finally {
    wipe(secret);
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${await signature(JSON.parse(line))}\n`);
}
