import { randomBytes } from 'node:crypto';
import { describe, expect, it, test, vi } from 'vitest';
import { wipe } from '../../src/keys/index.ts';
import { FernetError, openFernet, readFernetKeys } from '../../tools/import/fernet.ts';
import { fernetToken, newFernetKey, withPadding } from '../support/fernet.ts';
import byPython from '../vectors/fernet-by-python.json' with { type: 'json' };
import spec from '../vectors/fernet-spec.json' with { type: 'json' };

vi.mock('../../src/keys/wipe.ts', { spy: true });

const seconds = (time: string) => Date.parse(time) / 1000;
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

/** The message, or the reason of the rejection. */
function outcome(token: string, key: string, now?: number): string {
  try {
    return `opens: ${text(openFernet(token, readFernetKeys(key), now))}`;
  } catch (error) {
    if (!(error instanceof FernetError)) throw error;
    return error.reason;
  }
}

const KEY = newFernetKey();
const OTHER_KEY = newFernetKey();
const MESSAGE = `0x${randomBytes(32).toString('hex')}`;

describe("the specification's vectors", () => {
  it.each([...spec.generate, ...spec.verify])('opens $src', ({ token, secret, src, now }) => {
    expect(outcome(token, secret, seconds(now))).toBe(`opens: ${src}`);
  });

  /** Stored tokens have no time to live: the one vector that is invalid only because of its age opens. */
  const REASONS: Readonly<Record<string, string>> = {
    'incorrect mac': 'token_not_authentic',
    'too short': 'token_malformed',
    'invalid base64': 'token_malformed',
    'payload size not multiple of block size': 'token_malformed',
    'payload padding error': 'token_padding_wrong',
    'far-future TS (unacceptable clock skew)': 'token_from_the_future',
    'expired TTL': 'opens: ',
    'incorrect IV (causes padding error)': 'token_padding_wrong',
  };
  it.each(spec.invalid)('$desc', ({ desc, token, secret, now }) => {
    expect(outcome(token, secret, seconds(now))).toBe(REASONS[desc]);
  });

  it('are all there', () => {
    expect(spec.invalid.map(({ desc }) => desc).sort()).toEqual(Object.keys(REASONS).sort());
  });
});

describe("tokens of Python's cryptography", () => {
  it.each(byPython.cases)('opens $message', ({ key, now, message, token }) => {
    expect(outcome(token, key, now)).toBe(`opens: ${message}`);
  });
});

describe('several keys, as MultiFernet accepts them', () => {
  const both = `${OTHER_KEY}, ${KEY}`;
  it('opens a token of each key', () => {
    expect(outcome(fernetToken(KEY, MESSAGE), both)).toBe(`opens: ${MESSAGE}`);
    expect(outcome(fernetToken(OTHER_KEY, MESSAGE), both)).toBe(`opens: ${MESSAGE}`);
  });

  it('does not open a token of a third key', () => {
    expect(outcome(fernetToken(newFernetKey(), MESSAGE), both)).toBe('token_not_authentic');
  });
});

describe('a token that was tampered with', () => {
  const token = fernetToken(KEY, MESSAGE);
  const bytes = Buffer.from(token, 'base64url');

  test('in a bit of any byte', () => {
    for (let at = 0; at < bytes.length; at += 1) {
      const bent = Uint8Array.from(bytes);
      bent[at] = (bent[at] ?? 0) ^ (1 << (at % 8));
      expect([at, outcome(withPadding(bent), KEY)]).toEqual([at, 'token_not_authentic']);
    }
  });

  test('in any character', () => {
    for (let at = 0; at < token.length; at += 1) {
      const other = token[at] === 'A' ? 'B' : 'A';
      const bent = token.slice(0, at) + other + token.slice(at + 1);
      expect(['token_malformed', 'token_not_authentic']).toContain(outcome(bent, KEY));
    }
  });

  test.each([
    [
      'one block shorter',
      withPadding(Buffer.concat([bytes.subarray(0, -48), bytes.subarray(-32)])),
      'token_not_authentic',
    ],
    [
      'with another block',
      withPadding(Buffer.concat([bytes.subarray(0, -32), Buffer.alloc(16), bytes.subarray(-32)])),
      'token_not_authentic',
    ],
    ['without its MAC', withPadding(bytes.subarray(0, -32)), 'token_not_authentic'],
    [
      'without a message',
      withPadding(Buffer.concat([bytes.subarray(0, 25), bytes.subarray(-32)])),
      'token_malformed',
    ],
    ['without its padding', token.replace(/=+$/, ''), 'token_malformed'],
    ['in the other alphabet', `${token.slice(0, -4)}+/==`, 'token_malformed'],
    ['with a space', ` ${token}`, 'token_malformed'],
    ['empty', '', 'token_malformed'],
    ["as Python's bytes are printed", `b'${token}'`, 'token_malformed'],
  ])('%s', (_, bent, reason) => {
    expect(outcome(bent, KEY)).toBe(reason);
  });
});

describe('a token that only a holder of the key can create', () => {
  it('of another version is rejected', () => {
    expect(outcome(fernetToken(KEY, MESSAGE, { version: 0x81 }), KEY)).toBe('token_version_unknown');
  });

  it.each([1, 59, 3600])('created %i seconds in the future', (ahead) => {
    const now = 1_700_000_000;
    const expected = ahead > 60 ? 'token_from_the_future' : `opens: ${MESSAGE}`;
    expect(outcome(fernetToken(KEY, MESSAGE, { at: now + ahead }), KEY, now)).toBe(expected);
  });

  const padding = (...ends: number[]) => {
    const block = randomBytes(32).fill(0x41);
    block.set(ends, block.length - ends.length);
    return fernetToken(KEY, block, { padded: false });
  };
  it.each<[string, number[], boolean]>([
    ['of a whole block', new Array(16).fill(16), true],
    ['of one byte', [1], true],
    ['of zero bytes', [0], false],
    ['of more than a block', [17], false],
    ['whose bytes differ', [3, 2, 3], false],
    ['of four bytes', [4, 4, 4, 4], true],
    ['whose first byte differs', [5, 4, 4, 4], false],
    ['that is not padding', [0x41], false],
  ])('with padding %s', (_, ends, opens) => {
    const message = 'A'.repeat(32 - ends.length);
    expect(outcome(padding(...ends), KEY)).toBe(opens ? `opens: ${message}` : 'token_padding_wrong');
  });
});

it('verifies the MAC before it decrypts: a wrong padding under a wrong MAC is reported as a wrong MAC', () => {
  const block = new Uint8Array(32).fill(0x41);
  const bytes = Buffer.from(fernetToken(KEY, block, { padded: false, version: 0x81 }), 'base64url');
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  expect(outcome(withPadding(bytes), KEY)).toBe('token_not_authentic');
});

it('wipes the decrypted bytes if the padding is wrong', () => {
  const held: string[] = [];
  vi.mocked(wipe).mockImplementation((...buffers) => {
    for (const buffer of buffers) {
      held.push(text(buffer));
      buffer.fill(0);
    }
  });
  const secret = 'A'.repeat(32);
  expect(outcome(fernetToken(KEY, secret, { padded: false }), KEY)).toBe('token_padding_wrong');
  expect(held).toEqual([secret]);
});

describe('a Fernet key', () => {
  it.each([
    ['too short', KEY.slice(4)],
    ['without its padding', KEY.slice(0, -1)],
    ['in the other alphabet', `+/${KEY.slice(2)}`],
    ['empty', ''],
    ['a list with a hole', `${KEY},,${OTHER_KEY}`],
    ['with unused bits set', `${KEY.slice(0, -2)}${KEY.at(-2) === 'B' ? 'C' : 'B'}=`],
    ['hex', randomBytes(32).toString('hex')],
  ])('%s is rejected, and is not repeated', (_, setting) => {
    expect(() => readFernetKeys(setting)).toThrow(TypeError);
    expect(() => readFernetKeys(setting)).toThrow(
      /^a Fernet key is base64url of 32 bytes, with its padding$/,
    );
  });
});
