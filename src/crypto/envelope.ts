import { base64url, CompactEncrypt, compactDecrypt } from 'jose';
import type { Keyring } from './keyring.ts';

const ALGORITHM = 'A256GCMKW';
const ENCRYPTION = 'A256GCM';
const TYPE = 'trading-key+jwe';

/** An envelope contains a secp256k1 scalar or an Ed25519 seed. */
const SECRET_BYTES = 32;

/**
 * The four parts after the protected header: wrapped data key (32 bytes), IV (12), ciphertext (32), tag (16), each in
 * canonical base64url. Decoders ignore the unused low bits of the last character, so several texts could be the same
 * envelope. This pattern accepts one of them.
 */
const PARTS = /^[\w-]{42}[AEIMQUYcgkosw048]\.[\w-]{16}\.[\w-]{42}[AEIMQUYcgkosw048]\.[\w-]{21}[AQgw]$/;

/** The values that an envelope is bound to. They are authenticated and not encrypted: the header contains them as text. */
export interface Binding {
  readonly clientId: string;
  readonly chain: string;
  readonly address: string;
  readonly keyId: string;
}

/**
 * The only error of `open`. It does not reveal which check failed, because an attacker could use the difference as an
 * oracle.
 */
export class EnvelopeError extends Error {
  override readonly name = 'EnvelopeError';

  constructor() {
    super('the envelope does not open');
  }
}

/**
 * Seals 32 secret bytes into a JWE in compact serialization (RFC 7516). A new data key encrypts them (`A256GCM`), the primary
 * master key wraps the data key (`A256GCMKW`), and the protected header authenticates `binding`. Two envelopes of the same
 * secret have only the binding in common. IVs are random, so a master key may wrap at most 2^32 data keys (NIST SP 800-38D,
 * section 8.3).
 *
 * The caller wipes `secret`.
 *
 * @throws {TypeError} if `secret` is not 32 bytes
 */
export async function seal(secret: Uint8Array, binding: Binding, keyring: Keyring): Promise<string> {
  if (secret.length !== SECRET_BYTES) throw new TypeError('a secret has 32 bytes');
  return new CompactEncrypt(secret)
    .setProtectedHeader(headerOf(binding, keyring.primary.id))
    .encrypt(keyring.primary.key);
}

/**
 * Opens an envelope that was sealed for exactly this `binding` with a master key of this keyring: by `seal`, or by any JOSE
 * library with the same header in JSON without white space. The caller wipes the 32 bytes.
 *
 * @throws {EnvelopeError} for every other envelope
 */
export async function open(envelope: string, binding: Binding, keyring: Keyring): Promise<Uint8Array> {
  const { header, rest } = read(envelope);
  const key = keyring.byId.get(header.kid)?.key;
  // The algorithms are fixed and not read from the header, because an attacker who can write the row chooses the header
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
 * Whether `seal` would write this header for this binding. All members must be equal. Two more members are allowed, and
 * these must be `iv` and `tag`, because jose requires them. So `zip`, `crit` and other members are rejected.
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
    // Serialized again, the header must be the same text. So it is valid UTF-8 and has no duplicate member, of which this
    // parser and that of the database could use different ones.
    if (typeof header.kid === 'string' && base64url.encode(JSON.stringify(header)) === encoded) {
      return { header, rest: envelope.slice(end + 1) };
    }
  } catch {
    // Not base64url, not JSON, null, or not a string.
  }
  throw new EnvelopeError();
}
