/** Hostile values in every field: a clear 4xx, no 5xx, and no change to JavaScript's own objects. */
import { describe, expect, it } from 'vitest';
import { call, settings } from '../support/api.ts';
import { newClientWithBot, stored } from '../support/bots.ts';
import { resolved } from '../support/contract.ts';
import { newHostedProject, newSigningKey } from '../support/hosted-sessions.ts';
import { isJsonRpc, operations, tokenFor } from '../support/operations.ts';
import { newAdmin } from '../support/people.ts';
import { expectProblem } from '../support/problems.ts';
import { bodyOf, lineTo } from '../support/requests.ts';
import { newMachineTokenFor } from '../support/runners.ts';

const admin = await newAdmin();
const owner = await newClientWithBot();
const { machineToken } = await newMachineTokenFor(owner, owner.botId);

const good = (line: string) => bodyOf(line, owner) ?? {};
const TAKE_A_BODY = operations
  .filter((operation) => operation.takesBody && !isJsonRpc(operation))
  .map(({ line }) => line);

/** As JSON text: JavaScript objects cannot represent many of these. */
const HOSTILE: [string, string][] = [
  ['an object with __proto__', '{"__proto__":{"polluted":true}}'],
  ['an object with constructor', '{"constructor":{"prototype":{"polluted":true}}}'],
  ['an object that would be text', '{"toString":"x","valueOf":"y","toJSON":"z"}'],
  ['a list of __proto__', '["__proto__","constructor","toString","hasOwnProperty"]'],
  ['a list of lists, 10,000 deep', `${'['.repeat(10_000)}${']'.repeat(10_000)}`],
  ['objects, 8,000 deep', `${'{"a":'.repeat(8_000)}1${'}'.repeat(8_000)}`],
  ['8,000 members', `{${Array.from({ length: 8_000 }, (_, n) => `"k${n}":1`).join()}}`],
  ['the same member 8,000 times', `{${Array.from({ length: 8_000 }, () => '"a":1').join()}}`],
  ['20,000 items', `[${'0,'.repeat(20_000)}0]`],
  ['1e400', '1e400'],
  ['-1e400', '-1e400'],
  ['a number of 5,000 digits', '9'.repeat(5_000)],
  ['-0', '-0'],
  ['a small number', '1e-400'],
  ['true', 'true'],
  ['a NUL', '"a\\u0000b"'],
  ['only a NUL', '"\\u0000"'],
  ['half of a pair', '"\\ud83d"'],
  ['the other half', '"\\ude00"'],
  ['halves the wrong way round', '"\\ude00\\ud83d"'],
  ['right to left', '"\\u202egnp.exe"'],
  ['isolates', '"\\u2066\\u2069\\u2067"'],
  ['zero width', '"\\u200b\\u200c\\u200d\\ufeff\\u2060"'],
  ['a non-character', '"\\ufffe\\uffff"'],
  ['4-byte characters', '"\\ud83d\\ude00\\udbff\\udfff"'],
  ['combining characters', `"a${'\\u0301'.repeat(5_000)}"`],
  ['60,000 characters', `"${'x'.repeat(60_000)}"`],
  ['hex of 30,000 bytes', `"0x${'ab'.repeat(30_000)}"`],
  ['50,000 spaces', `"${' '.repeat(50_000)}x"`],
  ['SQL', '"\'; drop table public.clients; --"'],
  ['a template', '"{{7*7}}<%= 7*7 %>#{7*7}"'],
  ['a path', '"../../../../etc/passwd"'],
  ['a PostgREST operator', '"eq.1,or(id.neq.0)"'],
  ['a line break and a header', '"x\\r\\nset-cookie: a=b"'],
];

async function send(line: string, body: string) {
  const token = tokenFor(line, admin.token).startsWith('tk_') ? machineToken : admin.token;
  return call(lineTo(line, owner), { token, body });
}
function expectUnpolluted(): void {
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  expect(Object.keys(Object.prototype)).toEqual([]);
}

it('the valid body of each operation has every member that its schema has', () => {
  for (const { line, requestBody } of operations) {
    const schema = requestBody?.content['application/json']?.schema;
    const { properties } = schema ? resolved(schema) : {};
    // A request to sign is one of several schemas.
    if (properties)
      expect([line, Object.keys(good(line)).sort()]).toEqual([line, Object.keys(properties).sort()]);
  }
});

describe.each(TAKE_A_BODY)('%s', (line) => {
  const members = Object.keys(good(line));

  it.each(HOSTILE)(`${line} with %s in place of each member -> 2xx or 4xx`, async (_, text) => {
    for (const member of members) {
      const { [member]: _replaced, ...rest } = good(line);
      const answer = await send(
        line,
        `{"${member}":${text},${JSON.stringify(rest).slice(1)}`.replace(',}', '}'),
      );
      if (answer.status >= 300) {
        expect([member, answer.status]).toEqual([member, expect.toBeOneOf([400, 403, 404, 409, 413, 422])]);
        expectProblem(answer, answer.status, answer.json.code);
      }
      expect(answer.headers.get('set-cookie')).toBeNull();
    }
    expectUnpolluted();
  });

  it.each([
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    'hasOwnProperty',
    '__defineGetter__',
    '',
    ' ',
    'a\\u0000',
    '\\ud83d',
  ])(`${line} with a member named "%s" beside the valid ones -> 422`, async (name) => {
    const before = await stored(owner);
    for (const value of ['{"private_key":"x","polluted":true}', '1', 'null', '[]']) {
      const answer = await send(line, `{"${name}":${value},${JSON.stringify(good(line)).slice(1)}`);
      expectProblem(answer, 422, 'validation_failed');
    }
    expect(await stored(owner)).toEqual(before);
    expectUnpolluted();
  });

  it.each(HOSTILE)(`${line} with %s as the whole body -> 4xx`, async (_, text) => {
    const answer = await send(line, text);
    expect([413, 422]).toContain(answer.status);
    expectUnpolluted();
  });
});

describe('paths and queries', () => {
  it.each([
    '__proto__',
    'constructor',
    'toString',
    'prototype',
    'hasOwnProperty',
    '%5f%5fproto%5f%5f',
    '..%2f__proto__',
    '%00',
    '%e2%80%ae',
    '%ff',
    '%ed%a0%80',
    '😀',
  ])('%s as a path and as an id -> 401, 404 or 422', async (part) => {
    for (const path of [
      `/${part}`,
      `/clients/${part}`,
      `/bots/${part}/stop`,
      `/clients/${part}/trading-key`,
      `/${part}/${part}`,
    ]) {
      for (const method of ['GET', 'POST', 'DELETE']) {
        const { status } = await call(`${method} ${path}`, { token: admin.token });
        expect([400, 404, 405, 422]).toContain(status);
      }
    }
    expectUnpolluted();
  });

  it.each([
    '__proto__=1',
    '__proto__[polluted]=1',
    'constructor.prototype.polluted=1',
    'limit=__proto__',
    'limit=1e400',
    'limit=-0',
    'limit=0x10',
    'limit=1&limit=2',
    'limit[]=1',
    'limit=%00',
    'limit=１０',
    'limit=NaN',
    'limit=Infinity',
    'limit= 5',
    'limit=5.0',
    'cursor=%00',
    'cursor=__proto__',
    "cursor='",
    'cursor[]=x',
    'select=*',
    'order=encrypted_key',
    'and=(id.eq.1)',
  ])('GET /clients?%s -> 200 or 422', async (query) => {
    for (const path of ['/clients', `/clients/${owner.clientId}/bots`]) {
      const answer = await call(`GET ${path}?${query}`, { token: owner.token });
      expect([200, 422]).toContain(answer.status);
      if (answer.status === 200)
        for (const { id, client_id = id } of answer.json.items) expect(client_id).toBe(owner.clientId);
    }
    expectUnpolluted();
  });
});

describe('a database that responds with names of JavaScript as codes', () => {
  it.each(['constructor', '__proto__', 'toString', 'hasOwnProperty', 'PTconstructor'])(
    'code and hint "%s" -> a problem of the closed set',
    async (code) => {
      const signingKey = await newSigningKey('ES256');
      const project = await newHostedProject([signingKey]);
      const token = await project.token(signingKey, { sub: admin.userId });
      for (const status of [400, 500]) {
        const body = JSON.stringify({ code, hint: code, message: code, details: null });
        await project.set({ rest: { status, type: 'application/json', body } });
        const answer = await call('GET /clients', { token, env: project.settings });
        expectProblem(
          answer,
          status === 400 ? 500 : 503,
          status === 400 ? 'internal_error' : 'database_unavailable',
        );
      }
    },
  );
});

it('a valid session and a name of JavaScript as publishable key -> a problem, no crash', async () => {
  const env = { ...settings(), SUPABASE_PUBLISHABLE_KEY: '__proto__' };
  expectProblem(await call('GET /clients', { token: admin.token, env }), 503, 'publishable_key_rejected');
});
