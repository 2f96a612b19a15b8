/** A client's account through the embedded Auth server, after a stranger signed up first with the address of the client. */
import { createClient, type SupabaseClient } from '@supabase/supabase-js';
import { describe, expect, inject, it } from 'vitest';
import { call } from '../support/api.ts';
import { newAdmin, operatorSql } from '../support/people.ts';

const admin = await newAdmin();
const newEmail = () => `${crypto.randomUUID()}@example.test`;
const STRANGERS = 'the stranger knows this';
const OWNERS = 'only the owner knows this';

const newProgram = (): SupabaseClient =>
  createClient(inject('supabaseUrl'), inject('publishableKey'), {
    auth: { persistSession: false, autoRefreshToken: false },
  });

const clientOf = async (token = '') => {
  const { status, json } = await call('GET /clients/me', { token });
  return status === 200 ? json.id : undefined;
};

const newClient = async (body: object) =>
  (await call('POST /clients', { token: admin.token, body: { name: 'A client', ...body } })).json;

async function signUp(email: string, password: string): Promise<void> {
  const { error } = await newProgram().auth.signUp({ email, password });
  expect(error).toBeNull();
}

/** Follows the link of the mail of this kind, in the owner's browser. */
async function follow(email: string, type: 'signup' | 'recovery'): Promise<SupabaseClient> {
  const [account] = await operatorSql<Record<string, string>>(
    'select confirmation_token as signup, recovery_token as recovery from auth.users where email = $1',
    [email],
  );
  const owner = newProgram();
  const { error } = await owner.auth.verifyOtp({ type, token_hash: account?.[type] ?? '' });
  expect(error).toBeNull();
  return owner;
}

async function signIn(email: string, password: string): Promise<string | undefined> {
  const { data } = await newProgram().auth.signInWithPassword({ email, password });
  return data.session?.access_token;
}

const tokenOf = async (program: SupabaseClient) =>
  (await program.auth.getSession()).data.session?.access_token;

describe('a client whose address a stranger signs up with first', () => {
  it('its owner confirms it -> the owner signs in and sets a password; the password and sessions of the stranger are rejected', async () => {
    const email = newEmail();
    const client = await newClient({ email });
    await signUp(email, STRANGERS);
    expect(await signIn(email, STRANGERS)).toBeUndefined();

    const owner = await follow(email, 'signup');
    expect(await clientOf(await tokenOf(owner))).toBe(client.id);
    expect(await signIn(email, STRANGERS)).toBeUndefined();
    expect((await owner.auth.updateUser({ password: OWNERS })).error).toBeNull();
    expect(await clientOf(await signIn(email, OWNERS))).toBe(client.id);
  });
});

describe('an account that is older than its client', () => {
  it('is not linked by signing in', async () => {
    const email = newEmail();
    await signUp(email, OWNERS);
    await follow(email, 'signup');
    const client = await newClient({ email });
    expect([client.linked, await clientOf(await signIn(email, OWNERS))]).toEqual([false, undefined]);
  });

  it('is linked by link_account -> its sign-ins end; the owner sets a new password by mail', async () => {
    const email = newEmail();
    await signUp(email, STRANGERS);
    await follow(email, 'signup');
    const stranger = newProgram();
    await stranger.auth.signInWithPassword({ email, password: STRANGERS });
    const client = await newClient({ email, link_account: true });
    expect(client.linked).toBe(true);
    expect((await stranger.auth.refreshSession()).error).not.toBeNull();
    expect(await signIn(email, STRANGERS)).toBeUndefined();

    await newProgram().auth.resetPasswordForEmail(email);
    const owner = await follow(email, 'recovery');
    expect((await owner.auth.updateUser({ password: OWNERS })).error).toBeNull();
    expect(await clientOf(await signIn(email, OWNERS))).toBe(client.id);
  });
});
