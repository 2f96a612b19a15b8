/** A name is returned as it was sent, or rejected; no name breaks the database. */
import { describe, expect, it } from 'vitest';
import { call } from '../support/api.ts';
import { create, setUp } from '../support/bots.ts';
import { newAdmin, newClient } from '../support/people.ts';
import { newEvmKey } from '../support/private-keys.ts';
import { expectProblem } from '../support/problems.ts';

const admin = await newAdmin();
const client = await newClient();
await create(admin, client, { wallets: [{ private_key: newEvmKey().privateKey }] });

const WAYS: Record<string, (name: unknown) => ReturnType<typeof call>> = {
  'POST /clients': (name) =>
    call('POST /clients', {
      token: admin.token,
      body: { name, email: `${crypto.randomUUID()}@example.test` },
    }),
  'POST /bots/create': (name) => create(admin, client, { name }),
  'POST /clients/{id}/setup-bot': (name) => setUp(client, { name }),
};

describe.each(Object.entries(WAYS))('the name in %s', (line, send) => {
  it.each([
    ['one letter', 'a'],
    ['200 letters', 'a'.repeat(200)],
    ['200 emoji', '😀'.repeat(200)],
    ['other scripts', 'Жёлтый 黃色 أصفر'],
    ['a family and a flag', '👨‍👩‍👧‍👦 🏴󠁧󠁢󠁳󠁣󠁴󠁿'],
    ['quotes and markup', `'; drop table bots; -- "<b>&amp;</b> \\ \${x} {{y}}`],
    ['a replacement character', 'a\ufffdb'],
    ['a word of JavaScript', '__proto__'],
  ])('%s -> 201, as it was sent', async (_, name) => {
    const answer = await send(name);
    expect([answer.status, answer.json.name]).toEqual([201, name]);
  });

  it('white space at the ends -> 201 without it', async () => {
    expect((await send('  Grid one\u00a0')).json.name).toBe('Grid one');
  });

  it.each([
    ['nothing', ''],
    ['white space', '   '],
    ['201 letters', 'a'.repeat(201)],
    ['201 emoji', '😀'.repeat(201)],
    ['a NUL', 'a\0b'],
    ['a line break', 'a\nb'],
    ['an escape', 'a\u001b[31mb'],
    ['a C1 control', 'a\u0085b'],
    ['a right-to-left override', 'a\u202egnp.exe'],
    ['isolates', 'a\u2066b\u2069'],
    ['the first half of a pair', 'a\ud83d'],
    ['the second half of a pair', '\ude00a'],
    ['a number', 1],
    ['null', null],
    ['a list', ['a']],
  ])('%s -> 422 at /name', async (_, name) => {
    const answer = await send(name);
    expectProblem(answer, 422, 'validation_failed');
    expect(answer.json.errors[0].pointer).toBe('/name');
  });

  it(`${line} without a name -> ${line.includes('setup-bot') ? 'named after its type' : '422'}`, async () => {
    const answer = await send(undefined);
    if (line.includes('setup-bot')) expect(answer.json.name).toBe('evm-grid');
    else expectProblem(answer, 422, 'validation_failed');
  });
});

describe('a bot type', () => {
  it.each([
    ['a NUL', 'evm\0grid'],
    ['half of a pair', 'evm\ud83d'],
    ['an emoji', '😀'],
  ])('with %s -> 4xx', async (_, bot_type) => {
    expect([400, 422]).toContain((await create(admin, client, { bot_type })).status);
  });

  it.each([
    ['nothing', ''],
    ['65 letters', 'a'.repeat(65)],
  ])('%s -> 422 at /bot_type', async (_, bot_type) => {
    const answer = await create(admin, client, { bot_type });
    expectProblem(answer, 422, 'validation_failed');
    expect(answer.json.errors[0].pointer).toBe('/bot_type');
  });
});
