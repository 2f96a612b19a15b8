import { v7 as uuidv7 } from 'uuid';
import type { WalletRequest } from '../contract/keys.ts';
import { seal } from '../crypto/envelope.ts';
import type { Keyring } from '../crypto/keyring.ts';
import type { NewWallet, SealedWallet } from '../database/as-caller.ts';
import { canonicalAddress, KeyInputError, type PrivateKey, parsePrivateKey, wipe } from '../keys/index.ts';
import { Problem } from '../problem.ts';

/** Reads the master keys. @throws {Problem} master_key_missing, master_key_malformed */
export type KeyringSource = () => Promise<Keyring>;

type KeyRequest = WalletRequest & { readonly private_key: NonNullable<WalletRequest['private_key']> };

/**
 * Parses a submitted key and seals it for this client, with a new key id. The bytes of the key are always wiped. The text of
 * the request is a JavaScript string, which cannot be wiped.
 *
 * @param pointer the JSON pointer to the object that contains the key, for `errors` of the problem
 * @throws {Problem} if the key is rejected, or if no master key is set
 */
export async function sealKey(
  request: KeyRequest,
  clientId: string,
  keyring: KeyringSource,
  pointer = '',
): Promise<SealedWallet> {
  const key = readKey(request, pointer);
  try {
    return await sealPrivateKey(key, clientId, await keyring());
  } finally {
    wipe(key.secret);
  }
}

/** Seals a parsed key with a new key id. The caller wipes the bytes of the key. */
export async function sealPrivateKey(
  { address, chain, secret }: PrivateKey,
  clientId: string,
  keyring: Keyring,
): Promise<SealedWallet> {
  const keyId = uuidv7();
  const encrypted = await seal(secret, { clientId, chain, address, keyId }, keyring);
  return { address, chain, key_id: keyId, encrypted_key: encrypted };
}

/** Seals the key of a wallet. Without a key, the wallet will get a copy of the trading key. */
export async function sealWallet(
  request: WalletRequest,
  clientId: string,
  keyring: KeyringSource,
  pointer = '',
): Promise<NewWallet> {
  const { private_key, address, chain } = request;
  if (private_key !== undefined) return sealKey({ ...request, private_key }, clientId, keyring, pointer);
  if (address === undefined) return { ...(chain !== undefined && { chain }) };
  return asProblem(pointer, () => {
    const canonical = canonicalAddress(address);
    if (chain !== undefined && chain !== canonical.chain) throw new KeyInputError('chain_mismatch');
    return canonical;
  });
}

function readKey({ private_key, address, chain }: KeyRequest, pointer: string): PrivateKey {
  return asProblem(pointer, () => parsePrivateKey({ privateKey: private_key, address, chain }));
}

function asProblem<Value>(pointer: string, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof KeyInputError)) throw error;
    const part = { pointer: `${pointer}/${error.field}`, code: error.reason, detail: error.message };
    throw new Problem(error.reason, [part]);
  }
}
