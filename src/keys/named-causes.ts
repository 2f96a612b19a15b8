/** What callers send in place of a private key, and what to send. The texts are fixed, so that no part of the input is repeated. */

const SOLANA_FORMS = 'base58 of 64 bytes or the JSON array of solana-keygen (Solana)';
const SEND = `send 64 hex digits (EVM), or ${SOLANA_FORMS}`;

const CAUSES: readonly (readonly [form: RegExp, message: string])[] = [
  [/^$/, `the text is empty: ${SEND}`],
  [/^0x[0-9a-f]{40}$/i, 'an EVM address, not a private key: send the 64 hex digits of the private key'],
  [/^[0-9a-f]{40}$/i, '40 hex digits, as an EVM address has: send the 64 hex digits of the private key'],
  [/^0X[0-9a-fA-F]{64}$/, 'begins with 0X: write 0x, or only the 64 hex digits'],
  [/^0x0x/i, 'begins with 0x twice: write it once'],
  [
    /^(0x)?(04)?[0-9a-f]{128}$/i,
    `hex of 64 bytes: a private key of EVM has 32 bytes, and 64 are a public key; a key pair of Solana is sent as ${SOLANA_FORMS}`,
  ],
  [
    /^\s*["'\u0060\u201c\u2018].*["'\u0060\u201d\u2019]\s*$/s,
    'has quotes around it: send the text without them',
  ],
  [/^\{/, `a keystore or another JSON object: decrypt it with its password, and ${SEND}`],
  [/^-----BEGIN/, `PEM: ${SEND}`],
  [/^(xprv|xpub)/, 'an extended key of BIP-32: derive the account, and send its private key'],
  [/^([a-z]{3,8}\s+){11,23}[a-z]{3,8}$/i, 'a mnemonic: derive the account, and send its private key'],
  [/\s/, `has white space inside: ${SEND}`],
  [/^[A-Za-z0-9+/]{43}=$|^[A-Za-z0-9+/]{86}==$/, `base64: ${SEND}`],
];

/** The cause, if the text has a form that is known to be something else than a private key. */
export function namedCause(text: string): string | undefined {
  // The forms are short, and the time that some expressions need grows with the length.
  return text.length > 1024 ? undefined : CAUSES.find(([form]) => form.test(text))?.[1];
}
