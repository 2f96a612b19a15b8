import { describe, expect, it } from 'vitest';
import { call } from '../support/api.ts';
import { accessToken, newAccount, newAdmin, newClient, operatorSql } from '../support/people.ts';
import { expectProblem } from '../support/problems.ts';

const admin = await newAdmin();
const email = () => `${crypto.randomUUID()}@example.test`;
const post = (body: unknown) => call('POST /clients', { token: admin.token, body });

describe('POST /clients', () => {
  it('by an admin -> 201, with the client and its Location', async () => {
    const address = email();
    const answer = await post({ name: 'Alice', email: address });
    expect(answer.status).toBe(201);
    expect(answer.json).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      name: 'Alice',
      email: address,
      linked: false,
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    });
    const location = answer.headers.get('location');
    expect(location).toBe(`/clients/${answer.json.id}`);
    expect((await call(`GET ${location}`, { token: admin.token })).json).toEqual(answer.json);
  });

  it('with the e-mail of an account that exists -> linked only with link_account', async () => {
    const asked = await newAccount();
    for (const body of [{}, { link_account: false }]) {
      const other = await newAccount();
      expect((await post({ name: 'Bob', email: other.email, ...body })).json.linked).toBe(false);
      expectProblem(await call('GET /clients/me', { token: other.token }), 404, 'account_not_linked');
    }
    const linked = await post({ name: 'Bob', email: asked.email.toUpperCase(), link_account: true });
    expect([linked.status, linked.json.linked]).toEqual([201, true]);
    const me = await call('GET /clients/me', { token: asked.token });
    expect([me.status, me.json.email]).toEqual([200, asked.email]);
  });

  it('with link_account and no account that can be linked -> 422 account_not_found, and no client', async () => {
    const unconfirmed = email();
    await operatorSql('insert into auth.users (id, aud, role, email) values ($1, $2, $2, $3)', [
      crypto.randomUUID(),
      'authenticated',
      unconfirmed,
    ]);
    const bySingleSignOn = email();
    await operatorSql(
      `insert into auth.users (id, aud, role, email, email_confirmed_at, is_sso_user)
       values ($1, $2, $2, $3, now(), true)`,
      [crypto.randomUUID(), 'authenticated', bySingleSignOn],
    );
    const otherAdmin = await newAdmin();
    const taken = await newClient();
    await operatorSql('update public.clients set email = $2 where id = $1', [taken.clientId, email()]);
    for (const address of [email(), unconfirmed, bySingleSignOn, otherAdmin.email, taken.email]) {
      expectProblem(
        await post({ name: 'Bob', email: address, link_account: true }),
        422,
        'account_not_found',
      );
      expect(await operatorSql('select id from public.clients where email = $1', [address])).toEqual([]);
      // The e-mail is still free.
      expect((await post({ name: 'Bob', email: address })).json.linked).toBe(false);
    }
  });

  it('with link_account and an Idempotency-Key -> linked once', async () => {
    const account = await newAccount();
    const headers = { 'idempotency-key': crypto.randomUUID() };
    const body = { name: 'Bob', email: account.email, link_account: true };
    const first = await call('POST /clients', { token: admin.token, body, headers });
    const again = await call('POST /clients', { token: admin.token, body, headers });
    expect([first.json.linked, again.headers.get('idempotency-replayed')]).toEqual([true, 'true']);
    expect(again.json).toEqual(first.json);
  });

  it.each([['yes'], [1], [null]])('with link_account of %s -> 422 at it', async (link_account) => {
    const answer = await post({ name: 'Alice', email: email(), link_account });
    expectProblem(answer, 422, 'validation_failed');
    expect(answer.json.errors[0].pointer).toBe('/link_account');
  });

  it('before its account signs up -> linked when the e-mail is confirmed, not before', async () => {
    const address = email();
    const client = await post({ name: 'Carol', email: address });
    const id = crypto.randomUUID();
    const token = await accessToken({ sub: id });
    await operatorSql('insert into auth.users (id, aud, role, email) values ($1, $2, $2, $3)', [
      id,
      'authenticated',
      address,
    ]);
    expectProblem(await call('GET /clients/me', { token }), 404, 'account_not_linked');
    await operatorSql('update auth.users set email_confirmed_at = now() where id = $1', [id]);
    expect((await call('GET /clients/me', { token })).json).toEqual({ ...client.json, linked: true });
  });

  it('with an e-mail in capitals -> stored in lower case', async () => {
    const address = email();
    expect((await post({ name: 'Dan', email: address.toUpperCase() })).json.email).toBe(address);
  });

  it('with an e-mail that is taken, in any case -> 409 email_taken', async () => {
    const address = email();
    expect((await post({ name: 'Eve', email: address })).status).toBe(201);
    expectProblem(await post({ name: 'Eve', email: address }), 409, 'email_taken');
    expectProblem(await post({ name: 'Mallory', email: address.toUpperCase() }), 409, 'email_taken');
  });

  it('two concurrent requests with one e-mail -> 201 and 409', async () => {
    const address = email();
    const answers = await Promise.all([1, 2, 3, 4].map(() => post({ name: 'Same', email: address })));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409]);
  });

  it.each([
    ['no @', 'alice'],
    ['nothing', ''],
    ['white space', ' a@example.test'],
    ['a NUL', 'a\0@example.test'],
    ['two of them', 'a@example.test,b@example.test'],
    ['a line break', 'a@example.test\nbcc: b@example.test'],
    ['321 characters', `${'a'.repeat(308)}@example.test`],
    ['another type', 1],
    ['null', null],
  ])('with an e-mail of %s -> 422 at /email', async (_, bad) => {
    const answer = await post({ name: 'Alice', email: bad });
    expectProblem(answer, 422, 'validation_failed');
    expect(answer.json.errors[0].pointer).toBe('/email');
  });

  it.each([['name'], ['email']])('without %s -> 422 with its pointer', async (field) => {
    const answer = await post({ name: 'Alice', email: email(), [field]: undefined });
    expectProblem(answer, 422, 'validation_failed');
    expect(answer.json.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual([`/${field}`]);
  });
});

describe('GET /clients', () => {
  it('in pages -> every client once, newest first', async () => {
    const names = ['first', 'second', 'third', 'fourth', 'fifth'].map(
      (name) => `${name} ${crypto.randomUUID()}`,
    );
    for (const name of names) await post({ name, email: email() });
    const seen: { id: string; name: string }[] = [];
    let cursor = '';
    do {
      const page = await call(`GET /clients?limit=2${cursor && `&cursor=${cursor}`}`, { token: admin.token });
      expect(page.json.items.length).toBeLessThanOrEqual(2);
      seen.push(...page.json.items);
      cursor = page.json.next_cursor ?? '';
    } while (cursor && !seen.some(({ name }) => name === names[0]));
    const ours = seen.map(({ name }) => name).filter((name) => names.includes(name));
    expect(ours).toEqual([...names].reverse());
    expect(new Set(seen.map(({ id }) => id)).size).toBe(seen.length);
  });

  it('by a client -> one page with that client', async () => {
    const client = await newClient();
    const answer = await call('GET /clients?limit=1', { token: client.token });
    expect(answer.json).toMatchObject({ items: [{ id: client.clientId, linked: true }], next_cursor: null });
  });
});

describe('GET /clients/{id}', () => {
  it('by the client itself and by an admin -> the same client', async () => {
    const client = await newClient();
    const own = await call(`GET /clients/${client.clientId}`, { token: client.token });
    expect(own).toMatchObject({ status: 200, json: { id: client.clientId, email: client.email } });
    expect((await call(`GET /clients/${client.clientId}`, { token: admin.token })).json).toEqual(own.json);
    expect((await call('GET /clients/me', { token: client.token })).json).toEqual(own.json);
  });

  it('with the id in capitals -> the same client', async () => {
    const client = await newClient();
    const answer = await call(`GET /clients/${client.clientId.toUpperCase()}`, { token: client.token });
    expect([answer.status, answer.json.id]).toEqual([200, client.clientId]);
  });
});

describe('GET /clients/me', () => {
  it('by an account that is not linked to a client, such as that of an admin -> 404 account_not_linked', async () => {
    expectProblem(
      await call('GET /clients/me', { token: (await newAccount()).token }),
      404,
      'account_not_linked',
    );
    expectProblem(await call('GET /clients/me', { token: admin.token }), 404, 'account_not_linked');
  });

  it('with a session of a deleted account -> 404', async () => {
    const token = await accessToken({ sub: crypto.randomUUID() });
    expectProblem(await call('GET /clients/me', { token }), 404, 'account_not_linked');
  });
});
