import { hexToBytes } from '@noble/hashes/utils.js';
import { base58 } from '@scure/base';
import { describe, expect, it } from 'vitest';
import { KeyInputError, type KeyInputReason, parsePrivateKey } from '../../src/keys/index.ts';
import { ED25519_KEYS, EVM_ACCOUNTS } from '../support/published-keys.ts';

type Input = Parameters<typeof parsePrivateKey>[0];

const [, evm, otherEvm] = EVM_ACCOUNTS;
const [first, second] = ED25519_KEYS;
const seed = hexToBytes(first.seed);
const keypair = [...seed, ...hexToBytes(first.publicKey)];
const mismatched = [...seed, ...hexToBytes(second.publicKey)];
const solana = base58.encode(new Uint8Array(keypair));
const solanaAddress = base58.encode(hexToBytes(first.publicKey));
const otherSolanaAddress = base58.encode(hexToBytes(second.publicKey));
const json = JSON.stringify(keypair);
const at = (i: number, value: unknown) => keypair.with(i, value as number);
const wrongCase = evm.address.replace('f39F', 'F39F');

function refusal(input: Input): KeyInputError {
  try {
    parsePrivateKey(input);
  } catch (error) {
    if (error instanceof KeyInputError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

/** Every run of six characters of the input that any member of an error contains. */
function leaks(error: Error, input: Input): string[] {
  const told = [error.message, error.stack, String(error), JSON.stringify(error), String(error.cause)].join(
    '\n',
  );
  const texts = [input.privateKey, input.address ?? ''].map((text) =>
    typeof text === 'string' ? text : (JSON.stringify(text) ?? ''),
  );
  return texts.flatMap((text) =>
    Array.from({ length: Math.min(text.length, 5000) - 5 }, (_, i) => text.slice(i, i + 6)).filter((run) =>
      told.includes(run),
    ),
  );
}

const withKey = (privateKey: unknown): Input => ({ privateKey: privateKey as string });

const MALFORMED: [string, Input][] = [
  ['an empty text', withKey('')],
  ['0x alone', withKey('0x')],
  ['white space within hex', withKey(evm.privateKey.replace('ac09', 'ac 09'))],
  ['0X', withKey(`0X${evm.privateKey}`)],
  ['0x twice', withKey(`0x0x${evm.privateKey}`)],
  ['64 characters, one not hex', withKey(`${evm.privateKey.slice(0, -1)}g`)],
  ['full-width digits', withKey(evm.privateKey.replace('0', '\uff10'))],
  ['base58 with a 0', withKey(`0${solana.slice(1)}`)],
  ['base58 with an l', withKey(`l${solana.slice(1)}`)],
  ['base64 of a key pair', withKey(btoa(String.fromCharCode(...keypair)))],
  ['a mnemonic', withKey('test test test test test test test test test test test junk')],
  ['a keystore', withKey('{"version":3,"crypto":{}}')],
  ['JSON that breaks off', withKey(json.slice(0, -1))],
  ['JSON with a trailing comma', withKey(json.replace(']', ',]'))],
  ['JSON followed by more', withKey(`${json}x`)],
  ['a JSON string of a key', withKey(JSON.stringify(solana))],
  ['256 for a byte', withKey(at(63, 256))],
  ['-1 for a byte', withKey(at(0, -1))],
  ['1.5 for a byte', withKey(at(5, 1.5))],
  ['NaN for a byte', withKey(at(5, Number.NaN))],
  ['a text for a byte', withKey(at(5, '7'))],
  ['null for a byte', withKey(at(5, null))],
  ['an array for a byte', withKey(at(5, [7]))],
  ['an array with a hole', withKey(Object.assign(new Array(64), keypair.slice(0, 63)))],
  ['a text for a byte in JSON', withKey(JSON.stringify(at(5, '7')))],
  ['null', withKey(null)],
  ['undefined', withKey(undefined)],
  ['a number', withKey(7)],
  ['an object with a length', withKey({ length: 64 })],
  ['a Uint8Array', withKey(new Uint8Array(keypair))],
];

const WRONG_LENGTH: [string, Input][] = [
  ['63 hex digits', withKey(evm.privateKey.slice(1))],
  ['65 hex digits', withKey(`${evm.privateKey}0`)],
  ['0x and 62 hex digits', withKey(`0x${evm.privateKey.slice(2)}`)],
  ['an EVM address', withKey(evm.address)],
  ['base58 of 63 bytes', withKey(base58.encode(new Uint8Array(keypair.slice(1))))],
  ['base58 of 65 bytes', withKey(base58.encode(new Uint8Array([1, ...keypair])))],
  ['base58 of 31 bytes', withKey(base58.encode(seed.slice(1)))],
  ['a base58 key pair after a superfluous 1', withKey(`1${solana}`)],
  ['a megabyte of base58', withKey('2'.repeat(1 << 20))],
  ['a megabyte of hex', withKey('0f'.repeat(1 << 19))],
  ['a list of one EVM key', withKey([evm.privateKey])],
  ['an empty array', withKey([])],
  ['an empty array as JSON', withKey('[]')],
  ['63 numbers', withKey(keypair.slice(1))],
  ['65 numbers', withKey([...keypair, 1])],
  ['32 numbers', withKey([...seed])],
  ['32 numbers as JSON', withKey(JSON.stringify([...seed]))],
];

const ORDER = 'fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141';

const OUT_OF_RANGE: [string, Input][] = [
  ['zero', withKey('0'.repeat(64))],
  ['0x and zero', withKey(`0x${'0'.repeat(64)}`)],
  ['the order of secp256k1', withKey(ORDER)],
  ['the order of secp256k1 in capitals', withKey(ORDER.toUpperCase())],
  ['the order and one', withKey(`${ORDER.slice(0, -1)}2`)],
  ['the highest number of 32 bytes', withKey('f'.repeat(64))],
];

const MISMATCHED: [string, Input][] = [
  ['in base58', withKey(base58.encode(new Uint8Array(mismatched)))],
  ['in an array', withKey(mismatched)],
  ['in JSON', withKey(JSON.stringify(mismatched))],
  ['in one bit of the last byte', withKey(at(63, (keypair[63] ?? 0) ^ 1))],
  ['in one bit of the first byte of the public half', withKey(at(32, (keypair[32] ?? 0) ^ 128))],
  ['in one bit of the seed', withKey(at(0, (keypair[0] ?? 0) ^ 1))],
  ['with all bytes zero', withKey(new Array(64).fill(0))],
];

const ADDRESS_REQUIRED: [string, Input][] = [
  ['a base58 seed', withKey(base58.encode(seed))],
  ['an address in place of a key', withKey(solanaAddress)],
  ['an address in place of a key, with its chain', { privateKey: solanaAddress, chain: 'solana' }],
];

const ADDRESS_MALFORMED: [string, Input][] = [
  ['an empty address', { privateKey: evm.privateKey, address: '' }],
  ['no 0x', { privateKey: evm.privateKey, address: evm.address.slice(2) }],
  ['white space', { privateKey: evm.privateKey, address: `${evm.address} ` }],
  ['a Solana address cut short', { privateKey: solana, address: solanaAddress.slice(4) }],
];

const ADDRESS_CHECKSUM: [string, Input][] = [
  ['a wrong capital letter', { privateKey: evm.privateKey, address: wrongCase }],
  ['a wrong capital letter beside another key', { privateKey: otherEvm.privateKey, address: wrongCase }],
];

const ADDRESS_MISMATCH: [string, Input][] = [
  ['of another EVM key', { privateKey: evm.privateKey, address: otherEvm.address }],
  [
    'of another EVM key in lower case',
    { privateKey: evm.privateKey, address: otherEvm.address.toLowerCase() },
  ],
  ['of another Solana key', { privateKey: solana, address: otherSolanaAddress }],
  ['of Solana for an EVM key', { privateKey: evm.privateKey, address: solanaAddress }],
  ['of EVM for a Solana key', { privateKey: solana, address: evm.address }],
  ['pasted in place of the seed', { privateKey: solanaAddress, address: solanaAddress }],
];

const CHAIN_MISMATCH: [string, Input][] = [
  ['solana for hex', { privateKey: evm.privateKey, chain: 'solana' }],
  ['evm for base58', { privateKey: solana, chain: 'evm' }],
  ['evm for a base58 seed', { privateKey: base58.encode(seed), chain: 'evm' }],
  ['evm for an array', { privateKey: keypair, chain: 'evm' }],
  ['evm for JSON', { privateKey: json, chain: 'evm', address: evm.address }],
];

const TABLE: [KeyInputReason, KeyInputError['field'], [string, Input][]][] = [
  ['private_key_malformed', 'private_key', MALFORMED],
  ['private_key_wrong_length', 'private_key', WRONG_LENGTH],
  ['private_key_out_of_range', 'private_key', OUT_OF_RANGE],
  ['private_key_halves_mismatch', 'private_key', MISMATCHED],
  ['address_required', 'address', ADDRESS_REQUIRED],
  ['address_malformed', 'address', ADDRESS_MALFORMED],
  ['address_checksum_invalid', 'address', ADDRESS_CHECKSUM],
  ['address_mismatch', 'address', ADDRESS_MISMATCH],
  ['chain_mismatch', 'chain', CHAIN_MISMATCH],
];

it('the keys that these tables alter are accepted unaltered', () => {
  const texts = [evm.privateKey, solana, json];
  const spaced = texts.flatMap((text) => [` ${text}`, `${text}\n`, `\u00a0\t${text}\r\n`]);
  const accepted = [...texts, ...spaced, keypair].map((privateKey) => parsePrivateKey({ privateKey }));
  const evmOrSolana = (privateKey: unknown) =>
    typeof privateKey === 'string' && privateKey.includes(evm.privateKey) ? evm.address : solanaAddress;
  expect(accepted.map(({ address }) => address)).toEqual([...texts, ...spaced, keypair].map(evmOrSolana));
  const { address } = parsePrivateKey({ privateKey: base58.encode(seed), address: solanaAddress });
  expect(address).toBe(solanaAddress);
});

describe.each(TABLE)('%s', (reason, field, cases) => {
  it.each(cases)('rejects %s', (_, input) => {
    const error = refusal(input);
    expect([error.name, error.reason, error.field]).toEqual(['KeyInputError', reason, field]);
    expect(Object.keys(error).sort()).toEqual(['field', 'name', 'reason']);
    expect(leaks(error, input)).toEqual([]);
  });
});

it('the search for leaks finds a leak', () => {
  const input = withKey(evm.privateKey);
  expect(leaks(new Error(`bad key ${evm.privateKey.slice(20, 27)}`), input)).toHaveLength(2);
});

describe('the message names what was sent, and what to send', () => {
  const keystore = '{"version":3,"crypto":{"cipher":"aes-128-ctr"}}';
  it.each<[string, string, RegExp]>([
    ['nothing', ' \n', /empty/],
    ['a mnemonic', 'test test test test test test test test test test test junk', /mnemonic/],
    ['a mnemonic of 24 words on lines', Array(24).fill('abandon').join('\n'), /mnemonic/],
    ['a keystore', keystore, /keystore.*password/],
    ['an address', evm.address, /EVM address/],
    ['an address without 0x', evm.address.slice(2), /EVM address/],
    ['hex of 64 bytes', 'ab'.repeat(64), /64 bytes/],
    ['a public key', `0x04${'ab'.repeat(64)}`, /public key/],
    ['white space inside', evm.privateKey.replace('ac09', 'ac 09'), /white space inside/],
    ['0X', `0X${evm.privateKey.replace('0x', '')}`, /0X/],
    ['0x twice', `0x0x${evm.privateKey.replace('0x', '')}`, /0x twice/],
    ['quotes', `"${evm.privateKey}"`, /quotes/],
    ['single quotes', `'${solana}'`, /quotes/],
    ['base64', btoa(String.fromCharCode(...seed)), /base64/],
    ['PEM', '-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2Vw\n-----END PRIVATE KEY-----', /PEM/],
    ['an extended key', `xprv${'9'.repeat(107)}`, /BIP-32/],
  ])('%s', (_, text, message) => {
    expect(refusal(withKey(text)).message).toMatch(message);
    expect(leaks(refusal(withKey(text)), withKey(text)).filter((run) => !message.test(run))).toEqual([]);
  });

  it('of a wrong chain names the chain of the key', () => {
    expect(refusal({ privateKey: evm.privateKey, chain: 'solana' }).message).toMatch(/form of EVM/);
    expect(refusal({ privateKey: solana, chain: 'evm' }).message).toMatch(/form of Solana/);
  });
});

it('reasons share no message', () => {
  const messages = TABLE.map(([, , cases]) => [...new Set(cases.map(([, input]) => refusal(input).message))]);
  // A text of a wrong length and a malformed text can both be named by what they are.
  expect(new Set(messages.flat()).size).toBe(messages.flat().length);
});
