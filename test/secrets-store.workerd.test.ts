/** Master keys in Cloudflare's Secrets Store: the real binding, emulated locally. */
import { adminSecretsStore, env as testEnv } from 'cloudflare:test';
import { describe, expect, it, vi } from 'vitest';
import type { SecretBinding } from '../src/env.ts';
import { call, MASTER_KEY, settings } from './support/api.ts';
import { expectProblem } from './support/problems.ts';
import { newClientWithRunner, sign } from './support/runners.ts';

const { STORED_KEY } = testEnv as unknown as { STORED_KEY: SecretBinding };
const MINUTE = 60_000;

describe('the Secrets Store', () => {
  const env = { ...settings(), ENCRYPTION_KEY: STORED_KEY };
  const masterKey = async () => (await call('GET /ready', { env })).json.dependencies.master_key.code;

  it('without the secret -> 503 master_key_unavailable; with it, keys are sealed and opened; without it again -> 503', async () => {
    const body = { type: 'evm.message', message: 'x' };
    const client = await newClientWithRunner();
    expect(await masterKey()).toBe('master_key_unavailable');
    expectProblem(await sign(client, body, { env }), 503, 'master_key_unavailable');

    using admin = adminSecretsStore(STORED_KEY);
    const id = await admin.create(MASTER_KEY);
    const signed = await sign(client, body, { env });
    expect(signed.json).toEqual((await sign(client, body)).json);
    expect(await masterKey()).not.toBe('master_key_unavailable');

    await admin.delete(id);
    expect((await sign(client, body, { env })).status).toBe(200);
    const clock = vi.spyOn(Date, 'now');
    const now = Date.now();
    clock.mockImplementation(() => now + 16 * MINUTE);
    expectProblem(await sign(client, body, { env }), 503, 'master_key_unavailable');
    clock.mockRestore();
  }, 30_000);
});
