/** Signs for a bot: reads the request, checks the key out, opens it, signs, and wipes it. */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import type { SignAnswer, SignRequest } from '../contract/signing.ts';
import { EnvelopeError, open } from '../crypto/envelope.ts';
import type { Keyring } from '../crypto/keyring.ts';
import type { CheckedOutKey, RunnerDatabase, SigningClaim } from '../database/as-runner.ts';
import { canonicalAddress, KeyInputError, prepareToSign, SigningError, signAs, wipe } from '../keys/index.ts';
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
  const checkedOut = database.checkOutKey(botId, claimOf(signing), wallet);
  prepareToSign(signing.chain);
  return signedBy(await checkedOut, signing, masterKeys);
}

/** Fields of a transaction that the caller left out, by name. */
export type FilledFields = Readonly<Record<string, string>>;

/**
 * Signs a transaction after filling in fields. If the same request was filled in before under its Idempotency-Key, it is
 * signed with the fields of then, which are returned.
 *
 * @throws {Problem}
 */
export async function signFilled(
  { database, keyring }: Dependencies,
  botId: string,
  request: (filled: FilledFields) => SignRequest,
  filled: FilledFields,
): Promise<{ readonly answer: SignAnswer; readonly filled: FilledFields }> {
  const { wallet: named } = request(filled);
  const wallet = walletOf(named);
  const masterKeys = await keyring();
  const checkOut = async (fields: FilledFields) => {
    const signing = read(request(fields));
    return {
      signing,
      fields,
      key: await database.checkOutKeyFilled(botId, claimOf(signing), wallet, fields),
    };
  };
  const first = await checkOut(filled);
  const { signing, fields, key } = 'filled' in first.key ? await checkOut(first.key.filled) : first;
  // The stored fields equal themselves.
  if ('filled' in key) throw new Problem('internal_error');
  return { answer: await signedBy(key, signing, masterKeys), filled: fields };
}

async function signedBy(key: CheckedOutKey, signing: Signing, masterKeys: Keyring): Promise<SignAnswer> {
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

/** The member of the request that has what is to be signed, as a JSON pointer. */
const MEMBER_OF = {
  'evm.transaction': '/transaction',
  'evm.typed_data': '/typed_data',
  'evm.typed_data_hash': '/typed_data_hash',
  'evm.authorization': '/authorization',
  'evm.message': '/message',
  'solana.transaction': '/message',
  'solana.message': '/message',
} as const satisfies Record<SignRequest['type'], string>;

function read(request: SignRequest): Signing {
  try {
    return readSigning(request);
  } catch (error) {
    if (!(error instanceof SigningInputError)) throw error;
    const base = MEMBER_OF[request.type];
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
