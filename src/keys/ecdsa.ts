/** ECDSA over secp256k1 by libsecp256k1. The private key is never a text or a number here: both could not be wiped. */
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { Library } from './libsecp256k1.ts';

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const POINT_BYTES = 65; // uncompressed: 0x04, x, y (SEC 1, section 2.3.3)
const UNCOMPRESSED = 2;
const RFC_6979 = 0; // no other function for the nonce

let instance: Instance | undefined;

/**
 * Signs a digest of 32 bytes with the nonce of RFC 6979. Returns 65 bytes: `r` and the lower `s` (EIP-2) in 32 bytes each, and
 * the parity of y. Returns undefined if the secret is not a scalar in [1, n-1]. The caller wipes the secret.
 */
export function signDigest(digest: Uint8Array, secret: Uint8Array): Uint8Array | undefined {
  return use((library) => library.sign(reduced(digest), secret));
}

/** The public point, x and y in 32 bytes each, that made a signature of `signDigest`. */
export function recoverPoint(digest: Uint8Array, signature: Uint8Array): Uint8Array | undefined {
  return use((library) => library.recover(digest, signature));
}

/** The public point of a scalar in [1, n-1]: x and y in 32 bytes each. */
export function pointOf(secret: Uint8Array): Uint8Array {
  const point = use((library) => library.pointOf(secret));
  if (!point) throw new TypeError('not a scalar in range');
  return point;
}

/** Whether 32 bytes are a scalar in [1, n-1] (SEC 1, section 3.2.1). */
export function isScalar(secret: Uint8Array): boolean {
  return use((library) => library.isScalar(secret));
}

/** By then a call that the caller has begun is on its way. Until this code returns, the runtime sends nothing. */
const BEGIN_AFTER_MS = 1;

/**
 * Makes soon what the first signature of an isolate needs, which takes as long as many signatures. Callers begin it before
 * they wait for the database. If it fails, the signature tries again.
 */
export function prepareToSign(): void {
  if (instance?.verifies) return;
  setTimeout(() => {
    try {
      use((library) => library.verifying);
    } catch {
      // `use` has removed the instance.
    }
  }, BEGIN_AFTER_MS);
}

/**
 * Makes the instance when it is first used, because Workers allow no random numbers while they start. An instance whose call
 * threw is not used again: the library did not return, so its stack pointer is wrong.
 */
function use<T>(work: (library: Instance) => T): T {
  instance ??= new Instance();
  try {
    return work(instance);
  } catch (error) {
    instance.memory.fill(0);
    instance = undefined;
    throw error;
  }
}

/** bits2octets of RFC 6979, section 2.3.4, which libsecp256k1 leaves to the caller. A digest is not secret. */
function reduced(digest: Uint8Array): Uint8Array {
  if (digest.length !== 32) throw new TypeError('not 32 bytes');
  const number = BigInt(`0x${bytesToHex(digest)}`);
  return number < ORDER ? digest : hexToBytes((number - ORDER).toString(16).padStart(64, '0'));
}

class Instance extends Library {
  readonly #digest = this.allocate(32);
  readonly #signature = this.allocate(65);
  readonly #compact = this.allocate(64);
  readonly #recoveryId = this.allocate(4);
  readonly #point = this.allocate(64);
  readonly #bytes = this.allocate(POINT_BYTES);
  readonly #length = this.allocate(4);

  isScalar(secret: Uint8Array): boolean {
    return this.withSecret(secret, (key) => this.call._secp256k1_ec_seckey_verify(this.context, key) === 1);
  }

  pointOf(secret: Uint8Array): Uint8Array | undefined {
    return this.withSecret(secret, (key) =>
      this.call._secp256k1_ec_pubkey_create(this.context, this.#point, key) === 1
        ? this.#readPoint()
        : undefined,
    );
  }

  sign(digest: Uint8Array, secret: Uint8Array): Uint8Array | undefined {
    this.put(digest, this.#digest);
    return this.withSecret(secret, (key) => {
      const { call, context } = this;
      const signed = call._secp256k1_ecdsa_sign_recoverable(
        context,
        this.#signature,
        this.#digest,
        key,
        RFC_6979,
        0,
      );
      return signed === 1 ? this.#readSignature() : undefined;
    });
  }

  recover(digest: Uint8Array, signature: Uint8Array): Uint8Array | undefined {
    this.put(digest, this.#digest);
    this.memory.set(signature.subarray(0, 64), this.#compact);
    const recovered =
      this.call._secp256k1_ecdsa_recoverable_signature_parse_compact(
        this.verifying,
        this.#signature,
        this.#compact,
        signature[64] ?? 0,
      ) === 1 &&
      this.call._secp256k1_ecdsa_recover(this.verifying, this.#point, this.#signature, this.#digest) === 1;
    return recovered ? this.#readPoint() : undefined;
  }

  /** Returns undefined if the recovery id is not a parity: x was reduced to r, which occurs once in 2^127 signatures. */
  #readSignature(): Uint8Array | undefined {
    this.call._secp256k1_ecdsa_recoverable_signature_serialize_compact(
      this.context,
      this.#compact,
      this.#recoveryId,
      this.#signature,
    );
    const recoveryId = this.memory[this.#recoveryId] ?? 0;
    if (recoveryId > 1) return undefined;
    const signature = new Uint8Array(65);
    signature.set(this.memory.subarray(this.#compact, this.#compact + 64));
    signature[64] = recoveryId;
    return signature;
  }

  #readPoint(): Uint8Array {
    this.memory[this.#length] = POINT_BYTES;
    this.call._secp256k1_ec_pubkey_serialize(
      this.context,
      this.#bytes,
      this.#length,
      this.#point,
      UNCOMPRESSED,
    );
    return this.memory.slice(this.#bytes + 1, this.#bytes + POINT_BYTES);
  }
}
