/** A second implementation of RFC 7516 for A256GCMKW and A256GCM, on @noble/ciphers alone: no jose, no Web Crypto. */
import { gcm } from '@noble/ciphers/aes.js';
import { concatBytes, utf8ToBytes } from '@noble/ciphers/utils.js';
import { base64urlnopad } from '@scure/base';

const TAG_BYTES = 16;

export function openByHand(envelope: string, masterKey: Uint8Array) {
  const [encodedHeader = '', wrappedKey = '', iv = '', ciphertext = '', tag = ''] = envelope.split('.');
  const header = JSON.parse(new TextDecoder().decode(base64urlnopad.decode(encodedHeader)));
  const dataKey = gcm(masterKey, base64urlnopad.decode(header.iv)).decrypt(
    concatBytes(base64urlnopad.decode(wrappedKey), base64urlnopad.decode(header.tag)),
  );
  const secret = gcm(dataKey, base64urlnopad.decode(iv), utf8ToBytes(encodedHeader)).decrypt(
    concatBytes(base64urlnopad.decode(ciphertext), base64urlnopad.decode(tag)),
  );
  return { header, dataKey, secret };
}

/**
 * Seals with any given header, with valid authentication tags: for envelopes that only a strict parser rejects.
 * `write` turns the header into its JSON text.
 */
export function sealByHand(
  secret: Uint8Array,
  header: Record<string, unknown>,
  masterKey: Uint8Array,
  write: (header: Record<string, unknown>) => string = JSON.stringify,
): string {
  const dataKey = crypto.getRandomValues(new Uint8Array(32));
  const [wrapIv, wrapped] = encrypt(dataKey, masterKey);
  const encodedHeader = base64urlnopad.encode(
    utf8ToBytes(
      write({
        iv: base64urlnopad.encode(wrapIv),
        tag: base64urlnopad.encode(wrapped.subarray(-TAG_BYTES)),
        ...header,
      }),
    ),
  );
  const [iv, sealed] = encrypt(secret, dataKey, utf8ToBytes(encodedHeader));
  const rest = [
    wrapped.subarray(0, -TAG_BYTES),
    iv,
    sealed.subarray(0, -TAG_BYTES),
    sealed.subarray(-TAG_BYTES),
  ];
  return [encodedHeader, ...rest.map((part) => base64urlnopad.encode(part))].join('.');
}

function encrypt(
  message: Uint8Array,
  key: Uint8Array,
  aad?: Uint8Array,
): [iv: Uint8Array, sealed: Uint8Array] {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  return [iv, gcm(key, iv, aad).encrypt(message)];
}
