/** Signs for a bot: reads the request, checks the key out, opens it, signs, and wipes it. */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import type { SignAnswer, SignRequest } from '../contract/signing.ts';
import { EnvelopeError, open } from '../crypto/envelope.ts';
import type { Keyring } from '../crypto/keyring.ts';
import type { CheckedOutKey, RunnerDatabase, SigningClaim } from '../database/as-runner.ts';
import { canonicalAddress, KeyInputError, SigningError, signAs, wipe } from '../keys/index.ts';
import { Problem } from '../problem.ts';
import { readSigning, type Signing, SigningInputError } from '../signing/index.ts';
import type { KeyringSource } from './sealing.ts';

export interface Dependencies {
  readonly database: RunnerDatabase;
  readonly keyring: KeyringSource;
}

/**
 * Signs for a bot. The request and the master keys are checked before the database returns the envelope, because the
 * database then reserves the value and writes an event.
 *
 * @throws {Problem}
 */
export async function sign(
  { database, keyring }: Dependencies,
  botId: string,
  request: SignRequest,
): Promise<SignAnswer> {
  const signing = read(request);
  const wallet = walletOf(request.wallet);
  const masterKeys = await keyring();
  const key = await database.checkOutKey(botId, claimOf(signing), wallet);
  const signature = await signWith(key, signing, masterKeys);
  const signed = await signing.finish(signature, key.address);
  return { ...signed, address: key.address, key_id: key.key_id };
}

/** The private key exists only inside this function, as bytes. They are zeros when it returns or throws. */
async function signWith(key: CheckedOutKey, signing: Signing, masterKeys: Keyring): Promise<Uint8Array> {
  const { client_id: clientId, chain, address, key_id: keyId } = key;
  let secret: Uint8Array | undefined;
  try {
    secret = await open(key.encrypted_key, { clientId, chain, address, keyId }, masterKeys);
    return await signAs({ chain, address }, signing.payload, secret);
  } catch (error) {
    if (error instanceof EnvelopeError || error instanceof SigningError)
      throw new Problem('key_decryption_failed');
    throw error;
  } finally {
    if (secret) wipe(secret);
  }
}

function claimOf({
  kind,
  chain,
  chainId,
  recipients,
  value,
  fee,
  opaque,
  signers,
  payload,
}: Signing): SigningClaim {
  return {
    kind,
    chain_id: chainId ?? null,
    recipients,
    value: String(value),
    ...(fee !== undefined && { fee: String(fee) }),
    opaque: opaque ?? false,
    ...(signers && { signers }),
    digest: bytesToHex(chain === 'evm' ? payload : sha256(payload)),
  };
}

function read(request: SignRequest): Signing {
  try {
    return readSigning(request);
  } catch (error) {
    if (!(error instanceof SigningInputError)) throw error;
    const thing = { 'evm.transaction': '/transaction', 'evm.typed_data': '/typed_data' } as const;
    const base = request.type in thing ? thing[request.type as keyof typeof thing] : '/message';
    const pointer = error.field === '' ? base : `${base}/${error.field}`;
    throw new Problem(error.reason, [{ pointer, code: error.reason, detail: error.detail }]);
  }
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Returns an id unchanged, and an address in the form in which the database stores it. */
function walletOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  if (UUID.test(text)) return text.toLowerCase();
  try {
    return canonicalAddress(text).address;
  } catch (error) {
    if (!(error instanceof KeyInputError)) throw error;
    throw new Problem(error.reason, [{ pointer: '/wallet', code: error.reason, detail: error.message }]);
  }
}
