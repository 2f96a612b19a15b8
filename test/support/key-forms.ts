import { base58 } from '@scure/base';

/** Every format in which 32 secret bytes could appear in a text. */
export function formsOf(secret: Uint8Array): string[] {
  const base64 = btoa(String.fromCharCode(...secret)).replace(/=+$/, '');
  const hex = [...secret].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return [
    hex,
    hex.toUpperCase(),
    base58.encode(secret),
    base64,
    base64.replaceAll('+', '-').replaceAll('/', '_'),
    secret.join(','),
    secret.join(', '),
  ];
}

/** The secret bytes of a submitted key: an EVM scalar or an Ed25519 seed; `undefined` if it has none. */
export function secretOf(submitted: string): Uint8Array | undefined {
  const hex = /^(?:0x)?([0-9a-f]{64})$/i.exec(submitted)?.[1];
  if (hex !== undefined) return Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
  try {
    const bytes = submitted.startsWith('[')
      ? Uint8Array.from(JSON.parse(submitted) as number[])
      : base58.decode(submitted);
    return bytes.length === 32 || bytes.length === 64 ? bytes.subarray(0, 32) : undefined;
  } catch {
    return undefined;
  }
}

/** Whether the bytes look random: placeholders such as 00…01 occur in many harmless texts. */
export const isRandom = (secret: Uint8Array) => new Set(secret).size > 16;
