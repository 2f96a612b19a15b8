import { base64 } from '@scure/base';
import { canonicalAddress } from '../keys/index.ts';

/** The characters of base64 that this number of bytes needs. */
export const base64Length = (bytes: number): number => Math.ceil(bytes / 3) * 4;

/** The bytes of a text in base64 (RFC 4648, section 4); undefined if it has another form. */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return new Uint8Array(base64.decode(text));
  } catch {
    // The error has no `cause`, because the message of the decoder quotes the text.
    return undefined;
  }
}

const FORMS: readonly (readonly [name: string, ...every: RegExp[]])[] = [
  ['is JSON, such as a list of numbers', /^\s*[[{]/],
  ['contains white space', /\s/],
  ['has the form of hex', /^(?:0x)?(?:[0-9a-f]{2})+$/i],
  ['has the form of base58', /^[1-9A-HJ-NP-Za-km-z]{45,}$/],
  ['is base64url, with - and _ in place of + and /', /^[\w-]+={0,2}$/, /[-_]/],
];

/** Why a text is not the base64 that was expected, if it is something else that callers send by mistake. */
export function otherFormOf(text: string): string | undefined {
  if (isAddress(text)) return 'is an address';
  const form = FORMS.find(([, ...every]) => every.every((pattern) => pattern.test(text)))?.[0];
  if (form) return form;
  const isCut = /^[A-Za-z0-9+/]+={0,2}$/.test(text) && text.length % 4 !== 0;
  return isCut ? 'lacks the padding of base64 (=), or its end' : undefined;
}

function isAddress(text: string): boolean {
  if (text.length > 64) return false;
  try {
    return canonicalAddress(text).address !== '';
  } catch {
    return false;
  }
}
