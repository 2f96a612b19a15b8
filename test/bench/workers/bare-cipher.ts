/** The cryptography of an envelope without the envelope: a fresh data key, wrapped, and 32 bytes sealed under it. */

export interface Sealed {
  readonly wrapIv: Uint8Array<ArrayBuffer>;
  readonly wrapped: ArrayBuffer;
  readonly iv: Uint8Array<ArrayBuffer>;
  readonly ciphertext: ArrayBuffer;
}

export async function bareCipher(masterKey: BufferSource) {
  const importKey = (raw: BufferSource) =>
    crypto.subtle.importKey('raw', raw, 'AES-GCM', false, ['encrypt', 'decrypt']);
  const master = await importKey(masterKey);
  return {
    async seal(secret: BufferSource, additionalData: BufferSource): Promise<Sealed> {
      const raw = random(32);
      const [wrapIv, iv] = [random(12), random(12)];
      const key = await importKey(raw);
      return {
        wrapIv,
        iv,
        wrapped: await crypto.subtle.encrypt({ name: 'AES-GCM', iv: wrapIv }, master, raw),
        ciphertext: await crypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData }, key, secret),
      };
    },
    async open(
      { wrapIv, wrapped, iv, ciphertext }: Sealed,
      additionalData: BufferSource,
    ): Promise<Uint8Array<ArrayBuffer>> {
      const key = await importKey(
        await crypto.subtle.decrypt({ name: 'AES-GCM', iv: wrapIv }, master, wrapped),
      );
      return new Uint8Array(
        await crypto.subtle.decrypt({ name: 'AES-GCM', iv, additionalData }, key, ciphertext),
      );
    },
  };
}

export const random = (size: number) => crypto.getRandomValues(new Uint8Array(size));
