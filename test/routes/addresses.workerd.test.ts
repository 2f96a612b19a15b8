/** A wallet that is added without a private key gets a copy of the trading key, so its address can only be that one. */
import { describe, expect, it } from 'vitest';
import type { Answer } from '../support/api.ts';
import { addWallet, create, newClientWithBot, setUp } from '../support/bots.ts';
import { type ClientPerson, newAdmin, newClient } from '../support/people.ts';
import { newEvmKey } from '../support/private-keys.ts';
import { expectProblem } from '../support/problems.ts';

const admin = await newAdmin();

/** A well-known address with one wrong capital letter. */
const MISSPELT = '0xF39Fd6e51aad88F6F4ce6aB8827279cffFb92266';

/** For a client with a trading key, and a bot that has no wallet with it yet. */
const WAYS: [string, (client: ClientPerson, wallet: object) => Promise<Answer>][] = [
  ['POST /bots/create', (client, wallet) => create(admin, client, { wallets: [wallet] })],
  [
    'POST /bots/{id}/wallets',
    async (client, wallet) => {
      const own = { private_key: newEvmKey().privateKey };
      const { json } = await create(admin, client, { wallets: [own] });
      return addWallet(admin, json.id, wallet);
    },
  ],
  ['POST /clients/{id}/setup-bot', (client, wallet) => setUp(client, wallet)],
];

describe.each(WAYS)('%s without a key', (_, send) => {
  it.each([
    ['the address of the trading key', (address: string) => ({ address })],
    ['that address in lower case', (address: string) => ({ address: address.toLowerCase() })],
    ['that address and its chain', (address: string) => ({ address, chain: 'evm' })],
    ['its chain alone', () => ({ chain: 'evm' })],
    ['nothing', () => ({})],
  ])('with %s -> a copy of the trading key', async (__, wallet) => {
    const client = await newClientWithBot();
    const { status, json } = await send(client, wallet(client.key.address));
    const { address, key_source } = json.wallets?.[0] ?? json;
    expect([status, address, key_source]).toEqual([201, client.key.address, 'trading']);
  });

  it.each([
    ['another address', () => ({ address: newEvmKey().address }), 'address_mismatch'],
    ['a misspelt address', () => ({ address: MISSPELT }), 'address_checksum_invalid'],
    ['no address', () => ({ address: 'nowhere' }), 'address_malformed'],
    [
      'its address under another chain',
      (address: string) => ({ address, chain: 'solana' }),
      'chain_mismatch',
    ],
  ] as const)('with %s -> 422', async (__, wallet, code) => {
    const client = await newClientWithBot();
    expectProblem(await send(client, wallet(client.key.address)), 422, code);
  });

  it('with another chain alone -> 422', async () => {
    expectProblem(await send(await newClientWithBot(), { chain: 'solana' }), 422, 'chain_mismatch');
  });
});

describe('an address, for a client without a trading key -> 409', () => {
  const { address } = newEvmKey();

  it('POST /bots/create', async () => {
    expectProblem(
      await create(admin, await newClient(), { wallets: [{ address }] }),
      409,
      'private_key_required',
    );
  });

  it('POST /bots/{id}/wallets', async () => {
    const { json } = await create(admin, await newClient());
    expectProblem(await addWallet(admin, json.id, { address }), 409, 'private_key_required');
  });

  it('POST /clients/{id}/setup-bot', async () => {
    expectProblem(await setUp(await newClient(), { address }), 409, 'private_key_required');
  });
});
