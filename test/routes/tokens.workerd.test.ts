import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { createBase58check } from '@scure/base';
import { describe, expect, it } from 'vitest';
import { call } from '../support/api.ts';
import { create, newClientWithBot } from '../support/bots.ts';
import { newAdmin, newClient, operatorSql } from '../support/people.ts';
import { newEvmKey } from '../support/private-keys.ts';
import { expectProblem } from '../support/problems.ts';
import { issue, newClientWithRunner, newMachineTokenFor, sign } from '../support/runners.ts';

const admin = await newAdmin();
const [client, stranger] = await Promise.all([newClientWithBot(), newClientWithBot()]);
const message = { type: 'evm.message', message: 'hello' };
const list = (as: { token: string }, botId: string) => call(`GET /bots/${botId}/tokens`, { token: as.token });
const revoke = (as: { token: string }, id: string) => call(`DELETE /tokens/${id}`, { token: as.token });

describe('POST /bots/{id}/tokens', () => {
  it.each([
    ['the client', client],
    ['an admin', admin],
  ])('by %s -> 201 with a token that signs', async (_, person) => {
    const { status, json } = await issue(person, client.botId, { name: 'Frankfurt' });
    expect(status).toBe(201);
    expect(json).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      token: expect.stringMatching(/^tk_[1-9A-HJ-NP-Za-km-z]{48,50}$/),
      name: 'Frankfurt',
      bot_ids: [client.botId],
      created_at: expect.any(String),
      expires_at: null,
      last_used_at: null,
    });
    expect((await sign({ botId: client.botId, machineToken: json.token }, message)).status).toBe(200);
  });

  it('a token is tk_ and base58check of 32 random bytes; the database stores only its SHA-256', async () => {
    const tokens = await Promise.all([1, 2, 3].map(() => newMachineTokenFor(client, client.botId)));
    const bytes = tokens.map(({ machineToken }) => createBase58check(sha256).decode(machineToken.slice(3)));
    expect(bytes.map(({ length }) => length)).toEqual([32, 32, 32]);
    expect(new Set(bytes.map(bytesToHex)).size).toBe(3);
    for (const { tokenId, machineToken } of tokens) {
      const [row] = await operatorSql('select * from public.machine_tokens where id = $1', [tokenId]);
      const hash = bytesToHex(sha256(utf8ToBytes(machineToken)));
      expect(row).toMatchObject({
        token_hash: { type: 'Buffer', data: [...sha256(utf8ToBytes(machineToken))] },
      });
      expect(JSON.stringify(row)).not.toContain(machineToken);
      expect(hash).toHaveLength(64);
    }
  });

  it('for several bots of a client -> signs for each, and the client reads and revokes it', async () => {
    const own = await newClientWithBot();
    const second = (await create(admin, own)).json.id;
    const { status, json } = await issue(own, own.botId, { other_bot_ids: [second, own.botId, second] });
    expect([status, json.bot_ids]).toEqual([201, [own.botId, second].sort()]);
    expect((await list(own, second)).json.items).toEqual([{ ...json, token: undefined }]);
    expect((await revoke(own, json.id)).status).toBe(200);
  });

  it('by an admin for bots of several clients -> signs for each; each client sees and revokes it for its own', async () => {
    const { json } = await issue(admin, client.botId, { other_bot_ids: [stranger.botId] });
    for (const { botId } of [client, stranger]) {
      expect((await sign({ botId, machineToken: json.token }, message)).status).toBe(200);
    }
    const ids = (answer: { json: { items: { id: string }[] } }) => answer.json.items.map(({ id }) => id);
    expect((await list(admin, stranger.botId)).json.items[0].bot_ids).toHaveLength(2);
    const [seen] = (await list(stranger, stranger.botId)).json.items;
    expect(seen).toMatchObject({ id: json.id, bot_ids: [stranger.botId] });

    expect((await revoke(stranger, json.id)).json.bot_ids).toEqual([stranger.botId]);
    expect(ids(await list(stranger, stranger.botId))).not.toContain(json.id);
    expectProblem(await revoke(stranger, json.id), 404, 'resource_not_found');
    const theirs = { botId: stranger.botId, machineToken: json.token };
    expectProblem(await sign(theirs, message), 404, 'resource_not_found');
    const ours = { botId: client.botId, machineToken: json.token };
    expect((await sign(ours, message)).status).toBe(200);

    expect((await revoke(admin, json.id)).json.bot_ids).toEqual([client.botId]);
    expectProblem(await sign(ours, message), 401, 'token_invalid');
  });

  it('by an admin for bots of several clients -> a revocation of the key of one ends it for that client', async () => {
    const [one, other] = [await newClientWithBot(), await newClientWithBot()];
    const { json } = await issue(admin, one.botId, { other_bot_ids: [other.botId] });
    const revoked = await call(`DELETE /clients/${one.clientId}/revoke-key`, { token: one.token });
    expect(revoked.json.tokens_ended).toEqual([json.id]);
    await call(`POST /clients/${one.clientId}/setup-bot`, {
      token: one.token,
      body: { bot_type: 'evm-grid', private_key: newEvmKey().privateKey },
    });
    expect((await call(`POST /bots/${one.botId}/start`, { token: one.token })).status).toBe(200);
    const signsFor = (botId: string) => sign({ botId, machineToken: json.token }, message);
    expectProblem(await signsFor(one.botId), 404, 'resource_not_found');
    expect((await signsFor(other.botId)).status).toBe(200);
  });

  it.each([
    ['of the path', (theirs: string) => issue(client, theirs)],
    ['beside it', (theirs: string) => issue(client, client.botId, { other_bot_ids: [theirs] })],
  ])("with another client's bot %s -> 404, as for an absent one; nothing is issued", async (_, ask) => {
    const before = (await list(client, client.botId)).text;
    expectProblem(await ask(stranger.botId), 404, 'resource_not_found');
    expectProblem(await ask(crypto.randomUUID()), 404, 'resource_not_found');
    expect((await list(client, client.botId)).text).toBe(before);
    expect((await list(stranger, stranger.botId)).json.items).toEqual([]);
  });

  it.each<[string, object, string]>([
    ['no name', { name: undefined }, '/name'],
    ['an empty name', { name: ' ' }, '/name'],
    ['a name of 201 characters', { name: 'x'.repeat(201) }, '/name'],
    ['an expiry in the past', { expires_at: '2020-01-01T00:00:00Z' }, '/expires_at'],
    ['an expiry after the year 9999', { expires_at: '9999-12-31T23:59:59-12:00' }, '/expires_at'],
    ['an expiry that is not a time', { expires_at: 'tomorrow' }, '/expires_at'],
    ['a malformed bot id', { other_bot_ids: ['x'] }, '/other_bot_ids/0'],
    ['101 bots', { other_bot_ids: Array.from({ length: 101 }, () => crypto.randomUUID()) }, '/other_bot_ids'],
    ['a token of one’s own', { token: 'tk_mine' }, ''],
  ])('with %s -> 422', async (_, change, pointer) => {
    const answer = await issue(client, client.botId, change);
    expectProblem(answer, 422, 'validation_failed');
    expect(answer.json.errors).toEqual([expect.objectContaining({ pointer })]);
  });

  it('with an expiry in any offset -> returned in UTC; the token signs until then', async () => {
    const at = new Date(Date.now() + 1_500);
    const { json } = await issue(client, client.botId, {
      expires_at: at.toISOString().replace('Z', '+00:00'),
    });
    expect(json.expires_at).toBe(at.toISOString());
    const machine = { botId: client.botId, machineToken: json.token };
    expect((await sign(machine, message)).status).toBe(200);
    await new Promise((done) => setTimeout(done, at.getTime() - Date.now() + 100));
    expectProblem(await sign(machine, message), 401, 'token_invalid');
    expectProblem(await call('GET /runner/bots', { token: json.token }), 401, 'token_invalid');
  });
});

describe('GET /bots/{id}/tokens', () => {
  it('-> newest first, with the time of last use, without tokens or their hashes', async () => {
    const own = await newClientWithRunner();
    const second = await newMachineTokenFor(own, own.botId, { name: 'second' });
    expect((await list(own, own.botId)).json.items.map((item: { id: string }) => item.id)).toEqual([
      second.tokenId,
      own.tokenId,
    ]);
    await sign(own, message);
    const { json, text } = await list(own, own.botId);
    expect(json.items.map((item: { last_used_at: string | null }) => item.last_used_at)).toEqual([
      null,
      expect.any(String),
    ]);
    expect(text).not.toContain('tk_');
    expect(text).not.toContain('hash');
    expect(text).not.toContain(bytesToHex(sha256(utf8ToBytes(own.machineToken))));
  });

  it('of a stranger’s bot -> the 404 of an absent one', async () => {
    expectProblem(await list(stranger, client.botId), 404, 'resource_not_found');
    expectProblem(await list(stranger, crypto.randomUUID()), 404, 'resource_not_found');
  });
});

describe('DELETE /tokens/{id}', () => {
  it.each([
    ['the client', (own: { token: string }) => own],
    ['an admin', () => admin],
  ])('by %s -> 200 with the revoked token; it no longer signs, another token does', async (_, as) => {
    const own = await newClientWithRunner();
    const other = await newMachineTokenFor(own, own.botId);
    expect((await sign(own, message)).status).toBe(200);
    const revoked = await revoke(as(own), own.tokenId);
    expect(revoked).toMatchObject({ status: 200, json: { id: own.tokenId, bot_ids: [own.botId] } });
    expect(revoked.json.last_used_at).toEqual(expect.any(String));
    expectProblem(await sign(own, message), 401, 'token_invalid');
    expect((await sign({ ...own, ...other }, message)).status).toBe(200);
    expectProblem(await revoke(as(own), own.tokenId), 404, 'resource_not_found');
  });

  it('by another client or a client without bots -> the 404 of an absent token, and the token still signs', async () => {
    const own = await newClientWithRunner();
    for (const person of [stranger, await newClient()]) {
      const headers = { 'x-request-id': 'the-same' };
      const answer = await call(`DELETE /tokens/${own.tokenId}`, { token: person.token, headers });
      expectProblem(answer, 404, 'resource_not_found');
      const absent = await call(`DELETE /tokens/${crypto.randomUUID()}`, { token: person.token, headers });
      expect(answer.text).toBe(absent.text);
    }
    expect((await sign(own, message)).status).toBe(200);
  });
});
