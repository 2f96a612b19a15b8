/** A request to sign that names a wallet by an address which a rotation replaced. */
import { describe, expect, it } from 'vitest';
import { type Answer, call } from '../support/api.ts';
import { addWallet, newClientWithBot, revoke, rotate, setUp } from '../support/bots.ts';
import { newAdmin, operatorSql } from '../support/people.ts';
import { newEvmKey, newSolanaKey } from '../support/private-keys.ts';
import { expectProblem } from '../support/problems.ts';
import { type ClientWithRunner, newClientWithRunner, newMachineTokenFor, sign } from '../support/runners.ts';

const admin = await newAdmin();
const signAs = (own: Pick<ClientWithRunner, 'botId' | 'machineToken'>, wallet: string) =>
  sign(own, { type: 'evm.message', message: 'hello', wallet });
const rotateToNew = async (own: ClientWithRunner) => {
  const key = newEvmKey();
  expect((await rotate(own, { private_key: key.privateKey })).status).toBe(200);
  return key.address;
};
/** A response without what differs in every request. */
const shown = ({ status, json, headers }: Answer) => {
  const { request_id, ...rest } = json;
  const kept = [...headers].filter(([name]) => !['x-request-id', 'content-length', 'date'].includes(name));
  return JSON.stringify([status, rest, kept.sort()]);
};

describe('POST /bots/{id}/sign with the address of a wallet', () => {
  it('before and after a rotation -> 200, then 409 wallet_address_replaced for the old address and 200 for the new one', async () => {
    const own = await newClientWithRunner();
    expect((await signAs(own, own.key.address)).status).toBe(200);
    const address = await rotateToNew(own);
    const answer = await signAs(own, own.key.address);
    expectProblem(answer, 409, 'wallet_address_replaced');
    expect(answer.json.detail).toContain('GET /runner/bots/{id}');
    expect(JSON.stringify(answer.json)).not.toContain(address);
    expect((await signAs(own, address)).json.address).toBe(address);
    const later = await rotateToNew(own);
    for (const old of [own.key.address, address]) {
      expectProblem(await signAs(own, old), 409, 'wallet_address_replaced');
    }
    expect((await signAs(own, later)).status).toBe(200);
    const [row] = await operatorSql<{ released: number }>(
      `select count(*)::int as released from private.every_key_event where bot_id = $1 and event = 'key_released'`,
      [own.botId],
    );
    expect(row?.released).toBe(3);
  });

  it('of an own key -> 409 wallet_address_replaced after the rotation', async () => {
    const own = await newClientWithRunner();
    const key = newEvmKey();
    expect((await addWallet(admin, own.botId, { private_key: key.privateKey })).status).toBe(201);
    expect((await signAs(own, key.address)).status).toBe(200);
    await rotateToNew(own);
    expectProblem(await signAs(own, key.address), 409, 'wallet_address_replaced');
  });

  it('that another client has or had, or that nobody had -> 404, with the same bytes', async () => {
    const own = await newClientWithRunner();
    await rotateToNew(own);
    const other = await newClientWithRunner();
    const replaced = other.key.address;
    const unknown = shown(await signAs(own, newEvmKey().address));
    expectProblem(await signAs(own, newEvmKey().address), 404, 'resource_not_found');
    expect(shown(await signAs(own, replaced))).toBe(unknown);
    const present = await rotateToNew(other);
    expect(shown(await signAs(own, replaced))).toBe(unknown);
    expect(shown(await signAs(own, present))).toBe(unknown);
    expect(shown(await signAs(own, newSolanaKey().address))).toBe(unknown);
    expect(shown(await signAs(own, crypto.randomUUID()))).toBe(unknown);
    expectProblem(await signAs(other, replaced), 409, 'wallet_address_replaced');
  });

  it('that only another bot of the client had -> 404', async () => {
    const own = await newClientWithRunner();
    const key = newEvmKey();
    const second = (await setUp(own)).json.id;
    await addWallet(admin, second, { private_key: key.privateKey });
    await rotateToNew(own);
    expectProblem(await signAs(own, key.address), 404, 'resource_not_found');
    const third = { botId: (await setUp(own)).json.id, ...(await newMachineTokenFor(own, own.botId)) };
    const ofThird = await newMachineTokenFor(own, third.botId);
    // The third bot was created after the rotation.
    expectProblem(await signAs({ ...third, ...ofThird }, own.key.address), 404, 'resource_not_found');
  });

  it('that the operator removed, without a rotation -> 404', async () => {
    const own = await newClientWithRunner();
    const key = newEvmKey();
    await addWallet(admin, own.botId, { private_key: key.privateKey });
    await operatorSql('delete from public.bot_wallets where bot_id = $1 and address = $2', [
      own.botId,
      key.address,
    ]);
    expectProblem(await signAs(own, key.address), 404, 'resource_not_found');
  });

  it('after a revocation -> 409 bot_not_running; with a new key -> 409 wallet_address_replaced', async () => {
    const own = await newClientWithRunner();
    const replaced = own.key.address;
    const present = await rotateToNew(own);
    expect((await revoke(own)).status).toBe(200);
    const token = await newMachineTokenFor(own, own.botId);
    const again = { ...own, ...token };
    for (const address of [replaced, present])
      expectProblem(await signAs(again, address), 409, 'bot_not_running');
    const key = newEvmKey();
    expect((await setUp(own, { private_key: key.privateKey })).status).toBe(201);
    await call(`POST /bots/${own.botId}/start`, { token: own.token });
    for (const address of [replaced, present]) {
      expectProblem(await signAs(again, address), 409, 'wallet_address_replaced');
    }
    expect((await signAs(again, key.address)).status).toBe(200);
  });

  it('of a bot that the token does not sign for -> 404 as for every address', async () => {
    const own = await newClientWithRunner();
    const other = await newClientWithBot();
    await rotate(other, { private_key: newEvmKey().privateKey });
    const stranger = { botId: other.botId, machineToken: own.machineToken };
    expect(shown(await signAs(stranger, other.key.address))).toBe(
      shown(await signAs(stranger, newEvmKey().address)),
    );
  });
});
