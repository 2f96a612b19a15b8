/** Envelopes that are almost valid, with one byte, member or part changed. */
import fc from 'fast-check';

export interface Row {
  readonly client_id: string;
  readonly chain: string;
  readonly address: string;
  readonly key_id: string;
}

type Change = (envelope: string) => string;

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const BASE64URL = `${LETTERS}-_`;
const of = (alphabet: string, minLength: number, maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...alphabet), minLength, maxLength });

/** A position in a text or a list, whatever its length. */
const place = fc.nat(9999);
const splice = (text: string, at: number, remove: number, put: string) => {
  const index = at % (text.length + 1);
  return text.slice(0, index) + put + text.slice(index + remove);
};

export const headerOf = (envelope: string): Buffer =>
  Buffer.from(envelope.split('.', 1)[0] ?? '', 'base64url');

/** With another text as the header, or with bytes that are not UTF-8. */
export const ofHeader =
  (change: (header: string) => string | Uint8Array): Change =>
  (envelope) =>
    Buffer.from(change(headerOf(envelope).toString())).toString('base64url') +
    envelope.slice(envelope.indexOf('.'));

type Members = [name: string, value: unknown][];
const ofMembers = (change: (members: Members) => Members) =>
  ofHeader((header) => {
    const members = change(Object.entries(JSON.parse(header)));
    // Not an object: an object cannot have a member twice, and puts numeric names first.
    return `{${members.map((member) => member.map((part) => JSON.stringify(part)).join(':')).join(',')}}`;
  });

const ofParts =
  (change: (parts: string[]) => string[]): Change =>
  (envelope) =>
    change(envelope.split('.')).join('.');

/** Values of the right type and of any other, with every character that JSON escapes. */
const value = fc.oneof(
  of(BASE64URL, 0, 70),
  of('ab"\\\n\u0000\u007f<>?~é/', 0, 24),
  fc.jsonValue({ maxDepth: 1 }),
);
const NAMES = ['alg', 'enc', 'typ', 'kid', 'sub', 'chain', 'address', 'jti', 'iv', 'tag'];
const name = fc.constantFrom(...NAMES, 'zip', 'crit', '', 'Alg');
const member = fc.tuple(name, value);

const ofTheMembers = fc.oneof(
  // another value in its place; one member more; a repeated member; one member less; another order
  member.map(([wanted, put]) =>
    ofMembers((all) => all.map(([one, old]) => [one, one === wanted ? put : old])),
  ),
  fc.tuple(member, place).map(([put, at]) => ofMembers((all) => all.toSpliced(at % 11, 0, put))),
  fc
    .tuple(place, place)
    .map(([from, to]) =>
      ofMembers((all) => all.toSpliced(to % 11, 0, ...all.slice(from % 10, (from % 10) + 1))),
    ),
  place.map((at) => ofMembers((all) => all.toSpliced(at % 10, 1))),
  fc
    .tuple(place, place)
    .map(([from, to]) =>
      ofMembers((all) =>
        all.toSpliced(from % 10, 1).toSpliced(to % 10, 0, ...all.slice(from % 10, (from % 10) + 1)),
      ),
    ),
);

const ofTheHeader = fc.oneof(
  // white space, punctuation of JSON, bytes that are not UTF-8, escapes
  fc
    .tuple(place, fc.constantFrom(' ', '\n', '\t', '\r', '\u0000', '\ufeff', '\\', '"', ',', '}', 'é', '🔑'))
    .map(([at, put]) => ofHeader((header) => splice(header, at, 0, put))),
  fc
    .tuple(place, fc.integer({ min: 0, max: 127 }))
    .map(([at, code]) => ofHeader((header) => splice(header, at, 1, String.fromCharCode(code)))),
  fc
    .tuple(place, fc.uint8Array({ minLength: 1, maxLength: 3 }))
    .map(([at, put]) =>
      ofHeader((header) =>
        Buffer.concat([Buffer.from(header.slice(0, at % 400)), put, Buffer.from(header.slice(at % 400))]),
      ),
    ),
  place.map((at) =>
    ofHeader((header) => {
      const code = header.charCodeAt(at % header.length).toString(16);
      return splice(header, at % header.length, 1, `\\u${code.padStart(4, '0')}`);
    }),
  ),
);

const ofTheText = fc.oneof(
  fc.tuple(place, fc.constantFrom(...BASE64URL, ...'+/=. \n%é')).map(
    ([at, put]): Change =>
      (envelope) =>
        splice(envelope, at, 1, put),
  ),
  fc.tuple(place, fc.nat(2), fc.constantFrom('', 'A', '=', '.', ' ', '\n', '\r\n', 'AAAA', '.AAAA')).map(
    ([at, remove, put]): Change =>
      (envelope) =>
        splice(envelope, at, remove, put),
  ),
  // the last character of a part, which can have unused bits
  fc
    .tuple(fc.nat(4), fc.constantFrom(...BASE64URL))
    .map(([part, put]) =>
      ofParts((parts) => parts.map((text, index) => (index === part ? text.slice(0, -1) + put : text))),
    ),
  fc
    .tuple(fc.nat(4), of(BASE64URL, 0, 50))
    .map(([part, put]) => ofParts((parts) => parts.toSpliced(part, 1, put))),
  fc
    .tuple(fc.nat(4), fc.nat(4))
    .map(([one, other]) =>
      ofParts((parts) => parts.with(one, parts[other] ?? '').with(other, parts[one] ?? '')),
    ),
);

const nothing = fc.constant<Change>((envelope) => envelope);

export const changeOfEnvelope = fc.oneof(nothing, ofTheMembers, ofTheHeader, ofTheText);

export const row: fc.Arbitrary<Row> = fc.record({
  client_id: fc.uuid(),
  chain: fc.constantFrom('evm', 'solana'),
  address: of(LETTERS, 1, 64),
  key_id: fc.uuid(),
});

export const changeOfRow: fc.Arbitrary<(row: Row) => Row> = fc.oneof(
  { weight: 5, arbitrary: fc.constant((row: Row) => row) },
  fc.uuid().map((client_id) => (row: Row) => ({ ...row, client_id })),
  fc.uuid().map((key_id) => (row: Row) => ({ ...row, key_id })),
  fc.constantFrom('evm', 'solana', 'EVM', '').map((chain) => (row: Row) => ({ ...row, chain })),
  // The last ones close their own quotation marks, so that they could add members of their own.
  fc
    .constantFrom('', 'x', '"', '\\', '\n', '","jti":"')
    .map((end) => (row: Row) => ({ ...row, address: row.address + end })),
  fc.constant((row: Row) => ({ ...row, address: row.address.toLowerCase() })),
);
