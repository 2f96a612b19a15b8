/** A caller who requests what belongs to others, or sends wrong requests: each is rejected in its own way, without effect. */
import { generatePrivateKey } from 'viem/accounts';
import type { Household } from './household.ts';
import { pick, type World } from './world.ts';

export interface Stranger {
  once(household: Household): Promise<void>;
}

export async function newStranger(world: World): Promise<Stranger> {
  const { token } = await world.newSession();
  const expired = await world.session(crypto.randomUUID(), -60);
  type Ask = [line: string, expected: string | number, parts: Parameters<World['api']['call']>[1]];

  const asks = ({ clientId: id, bots, token: owner }: Household): Ask[] => {
    const botId = bots[0]?.id ?? crypto.randomUUID();
    const body = { private_key: generatePrivateKey() };
    return [
      ['GET /clients/{id}/trading-key', 'resource_not_found', { id, token }],
      ['PUT /clients/{id}/rotate-key', 'resource_not_found', { id, token, body }],
      ['DELETE /clients/{id}/revoke-key', 'resource_not_found', { id, token }],
      [
        'POST /clients/{id}/setup-bot',
        'resource_not_found',
        { id, token, body: { bot_type: 'evm-grid', ...body } },
      ],
      ['POST /bots/{id}/stop', 'resource_not_found', { id: botId, token }],
      ['POST /bots/{id}/start', 'resource_not_found', { id: botId, token }],
      ['POST /bots/{id}/tokens', 'resource_not_found', { id: botId, token, body: { name: 'x' } }],
      ['PUT /bots/{id}/policy', 'resource_not_found', { id: botId, token, body: {} }],
      ['GET /clients/{id}', 'authentication_required', { id }],
      ['GET /clients/{id}', 'token_expired', { id, token: expired }],
      ['GET /clients/{id}', 'token_invalid', { id, token: `${owner.slice(0, -6)}AAAAAA` }],
      [
        'POST /bots/{id}/sign',
        'machine_token_required',
        { id: botId, token: owner, body: { type: 'evm.message', message: 'x' } },
      ],
      ['GET /clients/{id}/trading-key', 'validation_failed', { id: 'me', token: owner }],
      ['PUT /clients/{id}/rotate-key', 'json_malformed', { id, token: owner, raw: '{"private_key": ' }],
      ['PUT /clients/{id}/rotate-key', 'validation_failed', { id, token: owner, body: { ...body, more: 1 } }],
      [
        'PUT /clients/{id}/rotate-key',
        'private_key_wrong_length',
        { id, token: owner, body: { private_key: '0x00' } },
      ],
      [
        'PUT /clients/{id}/rotate-key',
        'body_too_large',
        { id, token: owner, raw: `"${'x'.repeat(70_000)}"` },
      ],
      ['PUT /clients/{id}/trading-key', 'method_not_allowed', { id, token: owner, body }],
      ['POST /clients', 'admin_required', { token: owner, body: { name: 'x', email: 'x@load.test' } }],
      ['GET /keys/status', 'admin_required', { token: owner }],
      ['GET /nothing', 'route_not_found', { token: owner }],
      ['GET /health', 200, {}],
      ['GET /ready', 200, {}],
      ['GET /.well-known/jwks.json', 200, {}],
    ];
  };
  return {
    async once(household) {
      const [line, expected, parts] = pick(asks(household));
      world.expect(await world.api.call(line, parts), expected);
    },
  };
}
