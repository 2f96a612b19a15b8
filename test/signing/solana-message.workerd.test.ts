/** `solana.message`: what wallets sign with `signMessage`, and never a transaction. */
import { ed25519 } from '@noble/curves/ed25519.js';
import { base58, base64 } from '@scure/base';
import {
  type Address,
  compileOffchainMessageEnvelope,
  createKeyPairFromPrivateKeyBytes,
  createSignableMessage,
  createSignerFromKeyPair,
  getBase58Decoder,
  getBase64EncodedWireTransaction,
  getOffchainMessageEnvelopeEncoder,
  getTransactionDecoder,
  type OffchainMessage,
  offchainMessageApplicationDomain,
  offchainMessageContentRestrictedAsciiOf1232BytesMax,
  offchainMessageContentUtf8Of1232BytesMax,
  offchainMessageContentUtf8Of65535BytesMax,
} from '@solana/kit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_MESSAGE_BYTES } from '../../src/signing/evm-message.ts';
import { newSolanaKey } from '../support/private-keys.ts';
import { compiled, decodedByKit, newAddress, transfer } from '../support/solana.ts';
import { refusalOf, signedBy } from './signed.ts';

const key = newSolanaKey();
const signer = await createSignerFromKeyPair(await createKeyPairFromPrivateKeyBytes(key.secret));
const text = (message: string) => ({ type: 'solana.message', message }) as const;
const bytes = (content: Uint8Array) =>
  ({ type: 'solana.message', message: { base64: base64.encode(content) } }) as const;
const utf8 = (content: string) => new TextEncoder().encode(content);
const DOMAIN = [0xff, ...utf8('solana offchain')];

/** The signature in base58 that Kit makes of these bytes. */
async function byKit(content: Uint8Array): Promise<string> {
  const [signatures] = await signer.signMessages([createSignableMessage(content)]);
  return getBase58Decoder().decode(signatures?.[signer.address] ?? new Uint8Array());
}

describe('a message gets the same signature as from Kit, and noble verifies it', () => {
  const starting = fc
    .tuple(fc.constantFrom('a', 'Z', ' ', '\n', '{', '~'), fc.string({ unit: 'grapheme', maxLength: 200 }))
    .map((parts) => parts.join(''));
  it('a text that begins with ASCII', async () => {
    const property = fc.asyncProperty(starting, async (message) => {
      const { signing, ...signed } = await signedBy(key, text(message));
      expect(signed).toEqual({ signature: await byKit(utf8(message)) });
      expect(ed25519.verify(base58.decode(signed.signature), utf8(message), base58.decode(key.address))).toBe(
        true,
      );
      expect(signing).toMatchObject({ kind: 'solana.message', recipients: [], value: 0n, opaque: true });
      expect(signing).not.toHaveProperty('signers');
    });
    await fc.assert(property, { numRuns: 40 });
  });

  it.each<[string, Uint8Array]>([
    ['a nonce', Uint8Array.of(0x7f, ...new Uint8Array(31).fill(0xff))],
    ['one byte', Uint8Array.of(0)],
    ['a text of a sign-in', utf8('example.com wants you to sign in with your Solana account:\n'.repeat(40))],
    ['JSON', utf8(JSON.stringify({ a: 'b'.repeat(2_000) }))],
    ['the most bytes', new Uint8Array(MAX_MESSAGE_BYTES).fill(0x61)],
    ['a line break first', utf8(`\n${'a'.repeat(200)}`)],
  ])('%s', async (_, content) => {
    const { signing, ...signed } = await signedBy(key, bytes(content));
    expect(signed).toEqual({ signature: await byKit(content) });
    expect(signing.payload).toEqual(content);
  });
});

describe('an off-chain message', () => {
  const applicationDomain = offchainMessageApplicationDomain(newAddress());
  const requiredSignatories = [{ address: signer.address }, { address: newAddress() }];
  const MESSAGES: [string, OffchainMessage][] = [
    ['version 1', { version: 1, requiredSignatories, content: 'Grüße 👋' }],
    ...[
      offchainMessageContentRestrictedAsciiOf1232BytesMax('hello'),
      offchainMessageContentUtf8Of1232BytesMax('Grüße 👋'),
      offchainMessageContentUtf8Of65535BytesMax('Grüße 👋'.repeat(110)),
    ].map((content): [string, OffchainMessage] => [
      `version 0, format ${content.format}`,
      { version: 0, applicationDomain, requiredSignatories, content } as OffchainMessage,
    ]),
  ];
  const contentOf = (message: OffchainMessage) =>
    Uint8Array.from(compileOffchainMessageEnvelope(message).content);

  it.each(MESSAGES)('of %s -> as Kit signs it, by one of its signers', async (_, message) => {
    const content = contentOf(message);
    const { signing, ...signed } = await signedBy(key, bytes(content));
    expect(signed).toEqual({ signature: await byKit(content) });
    expect([...(signing.signers ?? [])].sort()).toEqual(
      requiredSignatories.map(({ address }) => address).sort(),
    );
  });

  it.each(MESSAGES)('of %s, cut anywhere -> rejected', (_, message) => {
    const content = contentOf({ ...message, requiredSignatories: [{ address: signer.address }] });
    // Version 1 has no length: what is left after a cut in its text is a message too.
    const end = message.version === 1 ? content.length - utf8(message.content).length : content.length - 1;
    for (const length of Array.from({ length: end - 15 }, (_, i) => i + 16))
      expect(refusalOf(bytes(content.slice(0, length)))).toBe('message_malformed base64');
  });

  const [, version1] = MESSAGES[0] ?? [];
  const [, ascii] = MESSAGES[1] ?? [];
  const of1 = version1 ? contentOf(version1) : new Uint8Array();
  const of0 = ascii ? contentOf(ascii) : new Uint8Array();
  const changed = (content: Uint8Array, at: number, ...values: number[]) => {
    const copy = content.slice();
    copy.set(values, at);
    return copy;
  };
  it.each<[string, Uint8Array]>([
    ['version 2', changed(of1, 16, 2)],
    ['no signers', changed(of1, 17, 0)],
    [
      'signers in another order',
      new Uint8Array([...of1.slice(0, 18), ...of1.slice(50, 82), ...of1.slice(18, 50), ...of1.slice(82)]),
    ],
    ['a signer twice', changed(of1, 50, ...of1.slice(18, 50))],
    ['a text that is not UTF-8', changed(of1, of1.length - 1, 0xff)],
    ['an unknown format', changed(of0, 49, 3)],
    ['another length', changed(of0, 115, 6)],
    ['a longer text', new Uint8Array([...of0, 0x61])],
    ['a line break in restricted ASCII', changed(of0, 117, 10)],
    [
      'a long text in format 0',
      changed(new Uint8Array([...of0.slice(0, 117), ...new Uint8Array(1_233).fill(0x61)]), 115, 0xd1, 4),
    ],
    [
      'the older format without a domain of the application',
      Uint8Array.from([...DOMAIN, 0, 0, 2, 0, 104, 105]),
    ],
    ['nothing after the domain', Uint8Array.from(DOMAIN)],
  ])('with %s -> rejected', (_, content) => {
    expect(refusalOf(bytes(content))).toBe('message_malformed base64');
  });

  it('with places for its signatures -> rejected', () => {
    const envelope = compileOffchainMessageEnvelope({ version: 1, requiredSignatories, content: 'hi' });
    const encoded = getOffchainMessageEnvelopeEncoder().encode(envelope);
    expect(refusalOf(bytes(Uint8Array.from(encoded)))).toBe('message_malformed base64');
  });
});

describe('what could be a transaction is rejected', () => {
  const VERSIONS = ['legacy', 0, 1] as const;
  const made = VERSIONS.map((version) =>
    compiled(key.address, [transfer(key.address, newAddress(), 5)], { version }),
  );
  it.each(VERSIONS)('a message of version %s, with and without its signature', (version) => {
    const transaction = made[VERSIONS.indexOf(version)];
    if (!transaction) throw new TypeError();
    const message = Uint8Array.from(transaction.messageBytes);
    const whole = base64.decode(getBase64EncodedWireTransaction(transaction));
    for (const content of [message, whole, new Uint8Array([...message, 1, 2, 3]), message.slice(0, -1)])
      expect(refusalOf(bytes(content))).toBe('message_is_transaction base64');
  });

  it.each(Array.from({ length: 128 }, (_, i) => 128 + i))('bytes that begin with %i', (first) => {
    expect(refusalOf(bytes(Uint8Array.of(first)))).toBe('message_is_transaction base64');
    expect(refusalOf(bytes(Uint8Array.of(first, ...new Uint8Array(99))))).toBe(
      'message_is_transaction base64',
    );
  });

  it.each(['é', 'Привет', '👋', '\u00ffsolana offchain'])('the text %s', (content) => {
    expect(refusalOf(text(content))).toBe('message_is_transaction');
    expect(refusalOf(text(` ${content}`))).toHaveProperty('payload');
  });

  it('a legacy message that validators reject today', () => {
    const message = Uint8Array.from(made[0]?.messageBytes ?? []);
    const twice = message.slice();
    twice.set(message.slice(4, 36), 36);
    // An account twice, a length in more bytes than it needs, and an index out of range.
    const long = new Uint8Array([...message.slice(0, 3), 0x83, 0x00, ...message.slice(4)]);
    const index = message.slice();
    index[message.length - 15] = 99;
    for (const content of [twice, long, index])
      expect(refusalOf(bytes(content))).toBe('message_is_transaction base64');
  });

  it('a legacy message of any size, and no text that begins with printable ASCII', () => {
    const message = Uint8Array.from(made[0]?.messageBytes ?? []);
    const long = new Uint8Array(20_000);
    long.set(message);
    expect(refusalOf(bytes(long))).toBe('message_is_transaction base64');
    // As a header: 35 signers, of which 32 are readonly, and 48 accounts.
    expect(refusalOf(text(`# 10 rules\n${'a'.repeat(3_000)}`))).toHaveProperty('payload');
  });

  it('a transaction without any signature', () => {
    for (const { messageBytes } of made)
      expect(refusalOf(bytes(Uint8Array.of(0, ...messageBytes)))).toBe('message_is_transaction base64');
  });

  it('what is accepted is neither a message nor a transaction for Kit', () => {
    const beginning = fc.constantFrom(...made).map(({ messageBytes }) => [...messageBytes]);
    const wires = fc
      .constantFrom(...made)
      .map((each) => [...base64.decode(getBase64EncodedWireTransaction(each))]);
    const anything = fc.uint8Array({ maxLength: 400 }).map((random) => [...random]);
    const mixed = fc
      .tuple(
        fc.oneof(beginning, wires, anything),
        fc.array(fc.tuple(fc.nat(80), fc.nat(255)), { maxLength: 4 }),
      )
      .map(([content, changes]) => {
        for (const [at, value] of changes) if (at < content.length) content[at] = value;
        return Uint8Array.from(content);
      });
    const isMessage = (content: Uint8Array) => {
      try {
        const { signers } = decodedByKit(content);
        return signers.length === content[0] && (content[1] ?? 0) < signers.length;
      } catch {
        return false;
      }
    };
    const isTransaction = (content: Uint8Array) => {
      try {
        const { signatures, messageBytes } = getTransactionDecoder().decode(content);
        return Object.keys(signatures).length > 0 && isMessage(Uint8Array.from(messageBytes));
      } catch {
        return false;
      }
    };
    const property = fc.property(mixed, (content) => {
      const outcome = refusalOf(bytes(content));
      if (typeof outcome === 'string') {
        expect(outcome).toMatch(/^message_(is_transaction|malformed) base64$/);
        return;
      }
      expect(outcome.payload).toEqual(content);
      expect([isMessage(content), isTransaction(content)]).toEqual([false, false]);
    });
    fc.assert(property, { numRuns: 2_000 });
  });
});

describe('a message is rejected', () => {
  it.each<[string, string | { base64: string }, string]>([
    ['no text', '', 'message_malformed'],
    ['no bytes', { base64: '' }, 'message_malformed base64'],
    ['half of a surrogate pair', 'hello \ud83d', 'message_malformed'],
    ['hex', { base64: '0x0011' }, 'message_malformed base64'],
    ['hex that could be base64', { base64: '0x001122' }, 'message_malformed base64'],
    ['base64url', { base64: '--__' }, 'message_malformed base64'],
    ['base64 without padding', { base64: 'aGk' }, 'message_malformed base64'],
    ['one character too many', 'a'.repeat(MAX_MESSAGE_BYTES + 1), 'message_too_long'],
    [
      'one byte too many',
      { base64: base64.encode(new Uint8Array(MAX_MESSAGE_BYTES + 1)) },
      'message_too_long base64',
    ],
    ['60 KiB', { base64: 'A'.repeat(60 * 1024) }, 'message_too_long base64'],
    ['few characters of many bytes', `a${'€'.repeat(MAX_MESSAGE_BYTES / 3 + 1)}`, 'message_too_long'],
  ])('%s', (_, message, expected) => {
    expect(refusalOf({ type: 'solana.message', message })).toBe(expected);
  });
});

it('an address is a text like any other', async () => {
  const address: Address = newAddress();
  expect((await signedBy(key, text(address))).signature).toBe(await byKit(utf8(address)));
});
