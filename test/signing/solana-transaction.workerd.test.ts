import { base58, base64 } from '@scure/base';
import { type Instruction, isTransactionWithinSizeLimit } from '@solana/kit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newSolanaKey } from '../support/private-keys.ts';
import {
  COMPUTE_BUDGET,
  compiled,
  messageOf,
  newAddress,
  packed,
  readonly,
  readonlySigner,
  SYSTEM,
  signedByKit,
  signerAccount,
  system,
  transfer,
  writable,
} from '../support/solana.ts';
import { refusalOf, signedBy } from './signed.ts';

const key = newSolanaKey();
const request = (message: string) => ({ type: 'solana.transaction', message }) as const;
const read = (...parameters: Parameters<typeof compiled>) =>
  refusalOf(request(messageOf(compiled(...parameters))));
const budget: Instruction = { programAddress: COMPUTE_BUDGET, data: packed([1, 2], [4, 200_000]) };

/** Instructions of any program with any accounts, some of which sign too. */
const accounts = fc.array(
  fc.constantFrom(signerAccount, writable, readonly, readonlySigner).map((role) => role(newAddress())),
  { maxLength: 4 },
);
const instructions = fc.array(
  fc.record({
    programAddress: fc.constant(undefined).map(() => newAddress()),
    accounts,
    data: fc.uint8Array({ maxLength: 150 }),
  }),
  { maxLength: 3 },
);

/** What version 1 has in place of instructions of the Compute Budget program. */
const configs = fc.record(
  {
    priorityFeeLamports: fc.bigInt(0n, 2n ** 64n - 1n),
    computeUnitLimit: fc.nat(1_400_000),
    loadedAccountsDataSizeLimit: fc.nat(2 ** 32 - 1),
    heapSize: fc.integer({ min: 32, max: 256 }).map((kib) => kib * 1024),
  },
  { requiredKeys: [] },
);

describe('a message gets the same signature as from Kit', () => {
  it.each(['legacy', 0, 1] as const)('version %s', async (version) => {
    const property = fc.asyncProperty(instructions, configs, async (random, config) => {
      const list = [...random, transfer(key.address, newAddress(), 5)];
      const transaction = compiled(key.address, list, { version, config });
      // Longer transactions are rejected. Those of version 1 that are made here are always short enough.
      fc.pre(version === 1 || isTransactionWithinSizeLimit(transaction));
      const expected = await signedByKit(transaction, key);
      const { signing, ...signed } = await signedBy(key, request(messageOf(transaction)));
      const signers = Object.keys(transaction.signatures);
      expect(signed).toEqual(signers.length === 1 ? expected : { signature: expected.signature });
      expect([...(signing.signers ?? [])].sort()).toEqual(signers.sort());
    });
    await fc.assert(property, { numRuns: 40 });
  });

  it('version 0 with a lookup table', async () => {
    const [to, other] = [newAddress(), newAddress()];
    const program = { programAddress: newAddress(), accounts: [writable(other), readonly(newAddress())] };
    const transaction = compiled(key.address, [transfer(key.address, to, 5), program], { lookedUp: [other] });
    expect(transaction.messageBytes.length).toBeGreaterThan(200);
    const { signing, ...signed } = await signedBy(key, request(messageOf(transaction)));
    expect(signed).toEqual(await signedByKit(transaction, key));
    expect(signing).toMatchObject({ value: 5n, recipients: [SYSTEM, to, program.programAddress] });
  });
});

describe('the facts for a policy', () => {
  const to = newAddress();
  const from = key.address;
  const program = newAddress();
  const owner = base58.decode(newAddress());
  const seed = new TextEncoder().encode('savings');
  const seeded = packed([8, seed.length], seed);

  it.each<[string, Instruction[], object]>([
    ['a transfer', [transfer(from, to, 7)], { value: 7n, recipients: [SYSTEM, to], opaque: false }],
    [
      'transfers are added up, next to a compute budget',
      [budget, transfer(from, to, 7), transfer(from, to, 8)],
      { value: 15n, recipients: [COMPUTE_BUDGET, SYSTEM, to], opaque: false },
    ],
    [
      'more than 64 bits of lamports together',
      [transfer(from, to, 2n ** 64n - 1n), transfer(from, to, 2n ** 64n - 1n)],
      { value: 2n ** 65n - 2n },
    ],
    [
      'CreateAccount',
      [system(packed([4, 0], [8, 9], [8, 100], owner), signerAccount(from), signerAccount(to))],
      { value: 9n, recipients: [SYSTEM, to], opaque: false },
    ],
    [
      'CreateAccountWithSeed',
      [system(packed([4, 3], owner, seeded, [8, 9], [8, 100], owner), signerAccount(from), writable(to))],
      { value: 9n, recipients: [SYSTEM, to], opaque: false },
    ],
    [
      'TransferWithSeed',
      [
        system(
          packed([4, 11], [8, 9], seeded, owner),
          writable(newAddress()),
          signerAccount(from),
          writable(to),
        ),
      ],
      { value: 9n, recipients: [SYSTEM, to], opaque: false },
    ],
    [
      'WithdrawNonceAccount',
      [system(packed([4, 5], [8, 9]), writable(newAddress()), writable(to), signerAccount(from))],
      { value: 9n, recipients: [SYSTEM, to], opaque: false },
    ],
    [
      'AdvanceNonceAccount',
      [system(packed([4, 4]), writable(newAddress()), readonly(newAddress()), signerAccount(from))],
      { value: 0n, recipients: [SYSTEM], opaque: false },
    ],
    [
      'Assign, which changes the owner of the account',
      [system(packed([4, 1], owner), signerAccount(from))],
      { value: 0n, recipients: [SYSTEM, 'unknown'], opaque: true },
    ],
    [
      'AuthorizeNonceAccount',
      [system(packed([4, 7], owner), writable(to), signerAccount(from))],
      { recipients: [SYSTEM, 'unknown'], opaque: true },
    ],
    [
      'an unknown System instruction',
      [system(packed([4, 99]), signerAccount(from))],
      { recipients: [SYSTEM, 'unknown'], opaque: true },
    ],
    [
      'System data too short for a number',
      [system(packed([1, 2]), signerAccount(from), writable(to))],
      { recipients: [SYSTEM, 'unknown'], opaque: true },
    ],
    [
      'System data too short for lamports',
      [system(packed([4, 2], [4, 1]), signerAccount(from), writable(to))],
      { recipients: [SYSTEM, 'unknown'], opaque: true },
    ],
    [
      'a seed too long',
      [system(packed([4, 3], owner, [8, 2n ** 63n]), signerAccount(from), writable(to))],
      { recipients: [SYSTEM, 'unknown'], opaque: true },
    ],
    [
      'a transfer without a recipient',
      [system(packed([4, 2], [8, 7]), signerAccount(from))],
      { recipients: [SYSTEM, 'unknown'], opaque: true },
    ],
    [
      'another program that gets the wallet',
      [{ programAddress: program, accounts: [signerAccount(from), writable(to)] }],
      { value: 0n, recipients: [program], opaque: true },
    ],
    [
      'another program that does not get the wallet',
      [{ programAddress: program, accounts: [writable(to), readonly(newAddress())] }],
      { value: 0n, recipients: [program], opaque: false },
    ],
    [
      'another program that gets the wallet as readonly signer',
      [{ programAddress: program, accounts: [readonlySigner(newAddress())] }],
      { value: 0n, recipients: [program], opaque: false },
    ],
    ['nothing', [], { value: 0n, recipients: [], opaque: false }],
  ])('%s', (_, list, expected) => {
    for (const version of ['legacy', 0, 1] as const)
      expect(read(from, list, { version })).toMatchObject(expected);
  });

  it('a destination in a lookup table is unknown', () => {
    expect(read(from, [transfer(from, to, 7)], { lookedUp: [to] })).toMatchObject({
      value: 7n,
      recipients: [SYSTEM, 'unknown'],
    });
  });
});

describe('a message is rejected', () => {
  const whole = compiled(key.address, [budget, transfer(key.address, newAddress(), 7)], {
    version: 'legacy',
  });
  const bytes = Uint8Array.from(whole.messageBytes);
  const versioned = Uint8Array.from(
    compiled(key.address, [transfer(key.address, newAddress(), 7)]).messageBytes,
  );
  const changed = (at: number, ...values: number[]) => {
    const copy = bytes.slice();
    copy.set(values, at);
    return copy;
  };
  const FIRST_KEY = 4;
  const INSTRUCTIONS = FIRST_KEY + (bytes[3] ?? 0) * 32 + 32;

  it.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array()],
    ['one byte less', bytes.slice(0, -1)],
    ['one byte more', new Uint8Array([...bytes, 0])],
    ['one byte more, versioned', new Uint8Array([...versioned, 0])],
    ['no signers', changed(0, 0)],
    ['more signers than accounts', changed(0, 127)],
    ['no account that can pay', changed(1, 1)],
    ['more readonly accounts than there are', changed(2, 200)],
    ['an account twice', changed(FIRST_KEY + 32, ...bytes.slice(FIRST_KEY, FIRST_KEY + 32))],
    ['a program index without an account', changed(INSTRUCTIONS + 1, 200)],
    ['a program that pays', changed(INSTRUCTIONS + 1, 0)],
    [
      'a length in more bytes than it needs',
      new Uint8Array([...bytes.slice(0, 3), 0x84, 0x00, ...bytes.slice(4)]),
    ],
    ['a length of three bytes and more', changed(3, 0xff, 0xff, 0xff)],
    ['version 0 as version 1', new Uint8Array([0x81, ...versioned.slice(1)])],
    ['version 2', new Uint8Array([0x82, ...versioned.slice(1)])],
    ['version 127', new Uint8Array([0xff, ...versioned.slice(1)])],
    ['version 0 without lookup tables', versioned.slice(0, -1)],
    [
      'a lookup table without any index',
      new Uint8Array([...versioned.slice(0, -1), 1, ...new Uint8Array(34)]),
    ],
    [
      'an off-chain message',
      new Uint8Array([0xff, ...new TextEncoder().encode('solana offchain'), 0, 0, 2, 0, 104, 105]),
    ],
    ['a text', new TextEncoder().encode('Sign in to example.com with your account')],
    ['more than a packet can hold', Uint8Array.from(big(1_200))],
  ])('%s', (_, message) => {
    expect(refusalOf(request(base64.encode(message)))).toBe('transaction_malformed');
  });

  it.each<[string, string]>([
    ['no base64', '%%%'],
    ['base64 without padding', base64.encode(bytes).replace(/=+$/, '') + (bytes.length % 3 === 0 ? 'A' : '')],
    ['base58', base58.encode(bytes)],
    ['base64 in two lines', `${base64.encode(bytes).slice(0, 40)}\n${base64.encode(bytes).slice(40)}`],
    ['a mebibyte', 'A'.repeat(1 << 20)],
  ])('%s', (_, message) => {
    expect(refusalOf(request(message))).toBe('transaction_malformed');
  });

  it('a truncated or changed message is rejected or read as what it is, and throws no other error', () => {
    const property = fc.property(
      fc.nat(bytes.length),
      fc.nat(bytes.length - 1),
      fc.nat(255),
      (end, at, value) => {
        const text = base64.encode(changed(at, value).slice(0, end));
        const outcome = refusalOf(request(text));
        if (typeof outcome !== 'string') expect(base64.encode(outcome.payload)).toBe(text);
        else expect(outcome).toBe('transaction_malformed');
      },
    );
    fc.assert(property, { numRuns: 2_000 });
  });

  function big(size: number): Uint8Array {
    const data = new Uint8Array(size);
    return Uint8Array.from(compiled(key.address, [{ programAddress: newAddress(), data }]).messageBytes);
  }
});
