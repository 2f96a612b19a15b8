import { base64url, CompactEncrypt, compactDecrypt } from 'jose';
import type { Keyring } from './keyring.ts';

const ALGORITHM = 'A256GCMKW';
const ENCRYPTION = 'A256GCM';
const TYPE = 'trading-key+jwe';

/** Bytes of what an envelope holds: a secp256k1 scalar or an Ed25519 seed. */
const SECRET_BYTES = 32;

/**
 * The four parts that follow the protected header: wrapped data key (32 bytes), IV (12), ciphertext (32), tag
 * (16), each in canonical base64url. Decoders ignore the unused low bits of a last character and so read
 * several texts as the same bytes; here one envelope has one text.
 */
const PARTS = /^[\w-]{42}[AEIMQUYcgkosw048]\.[\w-]{16}\.[\w-]{42}[AEIMQUYcgkosw048]\.[\w-]{21}[AQgw]$/;

/** What an envelope is bound to. It is authenticated, not hidden: it stands readable in the header. */
export interface Binding {
  readonly clientId: string;
  readonly chain: string;
  readonly address: string;
  readonly keyId: string;
}

/**
 * The one failure of opening. Which check failed stays unsaid on purpose: a caller who could tell a wrong key
 * from a wrong tag from a wrong header would have an oracle.
 */
export class EnvelopeError extends Error {
  override readonly name = 'EnvelopeError';

  constructor() {
    super('the envelope does not open');
  }
}

/**
 * Seals 32 secret bytes into a JWE in compact serialization (RFC 7516): a fresh data key encrypts them
 * (`A256GCM`), the ring's primary master key wraps the data key (`A256GCMKW`), and `binding` is authenticated
 * with them as the protected header. Two envelopes of the same secret share nothing but their binding. A master
 * key wraps under random IVs, so it is good for 2^32 envelopes (NIST SP 800-38D, section 8.3).
 *
 * `secret` is the caller's and is not wiped.
 *
 * @throws {TypeError} when `secret` is not 32 bytes
 */
export async function seal(secret: Uint8Array, binding: Binding, keyring: Keyring): Promise<string> {
  if (secret.length !== SECRET_BYTES) throw new TypeError('a secret has 32 bytes');
  return new CompactEncrypt(secret)
    .setProtectedHeader(headerOf(binding, keyring.primary.id))
    .encrypt(keyring.primary.key);
}

/**
 * Opens an envelope that `seal`, or any JOSE library given the same header in JSON without white space, made for
 * exactly this `binding` under a master key of this ring. The 32 bytes returned are the caller's to wipe.
 *
 * @throws {EnvelopeError} in every other case
 */
export async function open(envelope: string, binding: Binding, keyring: Keyring): Promise<Uint8Array> {
  const { header, rest } = read(envelope);
  const key = keyring.byId.get(header.kid)?.key;
  // The algorithms come from here and not from the header, which an attacker who can write the row chooses
  // (RFC 8725, section 3.1).
  if (!key || !PARTS.test(rest) || !matches(header, binding)) throw new EnvelopeError();
  try {
    const { plaintext } = await compactDecrypt(envelope, key, {
      keyManagementAlgorithms: [ALGORITHM],
      contentEncryptionAlgorithms: [ENCRYPTION],
    });
    return plaintext;
  } catch {
    throw new EnvelopeError();
  }
}

interface Header {
  readonly kid: string;
  readonly [member: string]: unknown;
}

/** The header of a new envelope; `A256GCMKW` adds the `iv` and `tag` of the wrapped data key. */
function headerOf(binding: Binding, kid: string) {
  return {
    alg: ALGORITHM,
    enc: ENCRYPTION,
    typ: TYPE,
    kid,
    sub: binding.clientId,
    chain: binding.chain,
    address: binding.address,
    jti: binding.keyId,
  };
}

/**
 * Whether a header is what `seal` writes for this binding: each member equal, and two more, which can only be
 * the `iv` and `tag` that jose requires. So there is no room for `zip`, `crit` or anything else.
 */
function matches(header: Header, binding: Binding): boolean {
  const expected = Object.entries(headerOf(binding, header.kid));
  return (
    expected.every(([member, value]) => header[member] === value) &&
    Object.keys(header).length === expected.length + 2
  );
}

function read(envelope: string): { header: Header; rest: string } {
  try {
    const end = envelope.indexOf('.');
    const encoded = envelope.slice(0, end);
    const header: Header = JSON.parse(new TextDecoder().decode(base64url.decode(encoded)));
    // Written back, a header must give the very same text: that leaves no room for what is not UTF-8, nor for a
    // member given twice, of which two readers (this one and the database's) might each believe another.
    if (typeof header.kid === 'string' && base64url.encode(JSON.stringify(header)) === encoded) {
      return { header, rest: envelope.slice(end + 1) };
    }
  } catch {
    // not base64url, not JSON, null, or not a string at all
  }
  throw new EnvelopeError();
}
