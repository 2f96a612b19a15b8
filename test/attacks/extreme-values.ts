/** Values at and beyond the limits of a type, in the form in which a request to the REST API carries them. */

/** JSON text that is sent unchanged. JavaScript would round some of its numbers. */
export class Raw {
  readonly json: string;

  constructor(json: string) {
    this.json = json;
  }
}

const TEXTS = [
  null,
  '',
  ' ',
  ' x',
  '0',
  'null',
  '__proto__',
  'x'.repeat(64),
  'x'.repeat(200),
  'x'.repeat(201),
  'x'.repeat(20_000),
  '😀'.repeat(200),
  'a\u0001b',
  'a\nb',
  'a\u007fb',
  'a\u202eb',
  '\u2066a',
  'a\ufeff',
  '\ufffe\uffff',
  'ff'.repeat(32),
];

const nested = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;

const JSONS = [
  'null',
  'true',
  '"x"',
  '1',
  '[]',
  '[1]',
  '[null]',
  '{}',
  '{"a":1}',
  '{"":null}',
  '{"a":[1,{"b":null}]}',
  '{"__proto__":{"a":1}}',
  '{"constructor":1,"toString":"x"}',
  '{"a":1e400}',
  '{"a":-1e400}',
  '{"a":1e-400}',
  '{"a":9007199254740993}',
  '{"a":1.7976931348623157e308}',
  '{"a":"\\u202e\\u0001"}',
  '{"a":"\\u0000"}',
  nested(8),
  nested(9),
  nested(1_000),
  `{"a":"${'x'.repeat(8_000)}"}`,
  `{"a":"${'x'.repeat(70_000)}"}`,
  `{"a":[${Array(8_000).fill('{}').join(',')}]}`,
].map((json) => new Raw(json));

const IDS = [
  null,
  '00000000-0000-0000-0000-000000000000',
  '00000000-0000-0000-0000-000000000001',
  'ffffffff-ffff-ffff-ffff-ffffffffffff',
  'FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFE',
];

export const EXTREMES: Readonly<Record<string, readonly unknown[]>> = {
  text: TEXTS,
  'text[]': [
    null,
    '{}',
    '{NULL}',
    '{x,NULL}',
    '{""}',
    '{{x},{y}}',
    '{{evm.message},{evm.message}}',
    '[5:6]={1,2}',
    `{${Array(100).fill('1'.repeat(64)).join(',')}}`,
    `{${Array(100).fill('1'.repeat(78)).join(',')}}`,
    `{${Array(101).fill('1').join(',')}}`,
    `{${Array(200).fill('evm.message').join(',')}}`,
    `{${'x'.repeat(20_000)}}`,
    '{"a\u202eb"}',
    '{"a\u0001b"}',
  ],
  'timestamp with time zone': [
    null,
    'infinity',
    '-infinity',
    '0001-01-01 BC',
    '4713-01-01 BC',
    '1999-12-31',
    '2000-01-01T00:00:00Z',
    '9999-12-31T23:59:59.999Z',
    '9999-12-31T23:59:59.9999Z',
    '10000-01-01',
    '20000-01-01',
    '294276-12-31',
  ],
  numeric: [
    null,
    'NaN',
    'Infinity',
    '-Infinity',
    '0',
    '-1',
    '0.5',
    '1e77',
    `${'9'.repeat(78)}`,
    '1e78',
    '1e400',
  ],
  integer: [null, 0, 1, -1, 100, 101, 2_147_483_647, -2_147_483_648, 2_147_483_648],
  bigint: [null, 0, -1, 1, '9223372036854775807', '-9223372036854775808', '9223372036854775808'],
  boolean: [null, true, false],
  uuid: IDS,
  'uuid[]': [null, '{}', '{NULL}', `{${IDS[1]},${IDS[3]}}`, `{{${IDS[1]}},{${IDS[2]}}}`],
  bytea: [null, '\\x', `\\x${'00'.repeat(32)}`, `\\x${'ff'.repeat(32)}`, `\\x${'ff'.repeat(20_000)}`],
  jsonb: JSONS,
};

/** A value for a member of a JSON object, with a type or size that no member expects. */
const MEMBERS = [
  'null',
  'true',
  '""',
  '"\\u202e\\u0001"',
  `"${'x'.repeat(20_000)}"`,
  '"NaN"',
  '"1e77"',
  '-1',
  '0.5',
  '1e77',
  '1e400',
  '[]',
  '[null]',
  '[[1],[2]]',
  '["\\u202e"]',
  `[${Array(101).fill('"1"').join(',')}]`,
  '{}',
  nested(100),
].map((json) => new Raw(json));

/** A JSON argument in which one member has an extreme value. */
export function withExtremeMembers(good: object): Raw[] {
  return Object.keys(good).flatMap((name) =>
    MEMBERS.map(({ json }) => {
      const others = Object.entries(good).filter(([other]) => other !== name);
      const members = others.map(([other, value]) => `${JSON.stringify(other)}:${JSON.stringify(value)}`);
      return new Raw(`{${[...members, `${JSON.stringify(name)}:${json}`].join(',')}}`);
    }),
  );
}
