/** What an attacker can do with a copy of the database, a session or a machine token: no key and no credential works again. */
import { describe, expect, inject, it } from 'vitest';
import { hashOfMachineToken, newMachineToken } from '../../src/machine-token.ts';
import { call } from '../support/api.ts';
import { newClientWithBot, revoke, rotate, setUp } from '../support/bots.ts';
import { newCronToken } from '../support/monitor.ts';
import { newAdmin, operatorSql } from '../support/people.ts';
import { newEvmKey } from '../support/private-keys.ts';
import { expectProblem } from '../support/problems.ts';
import { rest, rpc } from '../support/rest.ts';
import { type ClientWithRunner, newClientWithRunner, newMachineTokenFor, sign } from '../support/runners.ts';

const admin = await newAdmin();
const message = { type: 'evm.message', message: 'hello' };
const claim = { kind: 'evm.message', value: '0', digest: '0'.repeat(64), recipients: [] };

interface KeyRow {
  readonly client_id: string;
  readonly chain: string;
  readonly address: string;
  readonly key_id: string;
  readonly encrypted_key: string;
}

/** The row as a thief could have copied it from a dump or a replica. */
async function keptRow({ clientId }: { clientId: string }): Promise<KeyRow> {
  const [row] = await operatorSql<KeyRow>(
    'select client_id, chain, address, key_id, encrypted_key from public.trading_keys where client_id = $1',
    [clientId],
  );
  if (!row) throw new Error('The client has no trading key.');
  return row;
}

const inSql = (row: KeyRow) => [row.client_id, row.chain, row.address, row.key_id, row.encrypted_key];
const INSERT_KEY =
  'insert into public.trading_keys (client_id, chain, address, key_id, encrypted_key) values ($1, $2, $3, $4, $5)';

describe('a key that has ended', () => {
  const ends: [string, (own: ClientWithRunner) => Promise<unknown>][] = [
    ['was revoked', (own) => revoke(own)],
    [
      'was rotated, and whose successor was revoked',
      async (own) => {
        await rotate(own, { private_key: newEvmKey().privateKey });
        await revoke(own);
      },
    ],
  ];

  it.each(ends)('that %s -> a copy of its row is rejected, whoever writes it', async (_, end) => {
    const own = await newClientWithRunner();
    const kept = await keptRow(own);
    await end(own);
    // Before the fix, the owner's own or stolen session put the row back, and the Worker signed with the revoked key.
    expect(await rest('POST trading_keys', own.token, kept)).toMatchObject({
      status: 403,
      hint: 'envelope_write_denied',
    });
    expect(await rest('POST trading_keys', admin.token, kept)).toMatchObject({
      status: 403,
      hint: 'envelope_write_denied',
    });
    const { client_id, ...wallet } = kept;
    const edge_token = inject('edgeToken');
    const setUp = { edge_token, client_id, bot_type: 'evm-grid', name: 'x', config: {}, wallet };
    expect(await rpc('setup_bot', setUp, own.token)).toMatchObject({ status: 409, hint: 'key_id_ended' });
    await expect(operatorSql(INSERT_KEY, inSql(kept))).rejects.toThrow('The key with this id has ended');
    expectProblem(await call(`POST /bots/${own.botId}/start`, { token: own.token }), 409, 'bot_key_missing');
    expectProblem(await sign(own, message), 401, 'token_invalid');
  });

  it('after a rotation -> no wallet can be rotated back to it', async () => {
    const own = await newClientWithRunner();
    const kept = await keptRow(own);
    await rotate(own, { private_key: newEvmKey().privateKey });
    const { client_id, ...wallet } = kept;
    const edge_token = inject('edgeToken');
    expect(await rest(`PATCH trading_keys?client_id=eq.${client_id}`, own.token, wallet)).toMatchObject({
      status: 403,
      hint: 'envelope_write_denied',
    });
    const answers = [
      await rpc('rotate_key', { edge_token, client_id, ...wallet }, own.token),
      await rpc('add_wallet', { edge_token, bot_id: own.botId, wallet }, admin.token),
    ];
    for (const answer of answers) expect(answer).toMatchObject({ status: 409, hint: 'key_id_ended' });
    await expect(
      operatorSql(
        'update public.bot_wallets set address = $3, key_id = $4, encrypted_key = $5, chain = $2 where client_id = $1',
        inSql(kept),
      ),
    ).rejects.toThrow('The key with this id has ended');
  });

  it('whose private key is submitted again -> stored under a new key id', async () => {
    const own = await newClientWithBot();
    const { key_id } = await keptRow(own);
    await revoke(own);
    expect((await setUp(own, { private_key: own.key.privateKey })).status).toBe(201);
    const again = await keptRow(own);
    expect(again.address).toBe(own.key.address);
    expect(again.key_id).not.toBe(key_id);
  });
});

describe('an envelope', () => {
  it('-> the database returns it to no session and no machine token without the edge token', async () => {
    const own = await newClientWithRunner();
    const { machineToken: admins } = await newMachineTokenFor(admin, own.botId);
    for (const token of [own.machineToken, admins]) {
      const request = { token, bot_id: own.botId, signing: claim };
      expect((await rpc('check_out_key', request)).status).toBe(404);
      for (const edge_token of [newMachineToken(), token, hashOfMachineToken(inject('edgeToken'))]) {
        const answer = await rpc('check_out_key', { edge_token, ...request });
        expect(answer).toMatchObject({ status: 503, hint: 'edge_token_invalid' });
      }
    }
    const admitted = {
      edge_token: inject('edgeToken'),
      token: own.machineToken,
      bot_id: own.botId,
      signing: claim,
    };
    expect((await rpc('check_out_key', admitted)).json.encrypted_key).toMatch(/^ey/);
    // A caller with a session has no right to call the function.
    expect((await rpc('check_out_key', admitted, own.token)).status).toBe(403);
  });

  it('that no key opens -> reserves no address and replaces no key', async () => {
    const [own, other] = [await newClientWithBot(), newEvmKey()];
    const kept = await keptRow(own);
    const spoiled = { ...kept, encrypted_key: kept.encrypted_key.replace(/.{22}$/, 'A'.repeat(22)) };
    expect(
      await rest(`PATCH trading_keys?client_id=eq.${own.clientId}`, own.token, {
        encrypted_key: spoiled.encrypted_key,
      }),
    ).toMatchObject({ status: 403, hint: 'envelope_write_denied' });
    const squatting = { ...kept, address: other.address, key_id: crypto.randomUUID(), bot_id: own.botId };
    expect(await rest('POST bot_wallets', own.token, squatting)).toMatchObject({
      status: 403,
      hint: 'envelope_write_denied',
    });
    expect(await keptRow(own)).toEqual(kept);
  });
});

describe('a dump', () => {
  it('-> contains no credential: the stored hash of a token is not accepted as the token', async () => {
    const own = await newClientWithRunner();
    await newCronToken('monitor');
    await newCronToken('rewrap', 'new-master-key');
    const stored = await operatorSql<{ hash: string; scope: string }>(
      `select encode(token_hash, 'hex') as hash, scope from public.machine_tokens
        where id = $1 or scope in ('monitor', 'rewrap', 'edge') order by created_at desc limit 20`,
      [own.tokenId],
    );
    expect(new Set(stored.map(({ scope }) => scope))).toEqual(new Set(['bots', 'edge', 'monitor', 'rewrap']));
    const edge_token = inject('edgeToken');
    for (const { hash: token } of stored) {
      const calls: [string, object][] = [
        ['list_runner_bots', { token }],
        ['record_heartbeat', { token, bot_id: own.botId, status: 'ok' }],
        ['check_out_key', { edge_token, token, bot_id: own.botId, signing: claim }],
        ['report_signing_failure', { edge_token, token, bot_id: own.botId, code: 'policy_kind_denied' }],
        ['report_runner_refusal', { edge_token, token, bot_id: own.botId, code: 'x', route: 'GET /bots' }],
        ['monitor_bots', { token }],
        ['chain_queued_events', { token }],
        ['list_unsigned_heads', { token, at_most: 1 }],
        ['store_checkpoints', { edge_token, token, checkpoints: [] }],
        ['list_envelopes_to_rewrap', { edge_token, token, master_key_ids: ['new-master-key'], batch: 1 }],
        ['rewrap_keys', { edge_token, token, rewrapped: [] }],
        ['count_keys_to_rewrap', { token }],
      ];
      for (const [name, args] of calls) {
        expect([name, await rpc(name, args)]).toMatchObject([name, { status: 401, hint: 'token_invalid' }]);
      }
      expect((await rpc('edge_token_valid', { edge_token: token })).json).toBe(false);
      expectProblem(await sign({ botId: own.botId, machineToken: token }, message), 401, 'token_invalid');
    }
  });
});
