import { afterEach, expect, it, vi } from 'vitest';
import { MAX_VERIFIED_TOKENS, VerifiedTokens } from '../../src/auth/verified-tokens.ts';

const exp = Math.floor(Date.now() / 1000) + 60;
const claims = { sub: 'an account', exp };

afterEach(() => {
  vi.useRealTimers();
});

it('verifies a token once until it expires', async () => {
  const tokens = new VerifiedTokens();
  const verify = vi.fn(async () => claims);
  for (let i = 0; i < 3; i++) expect(await tokens.claimsOf('a', verify)).toBe(claims);
  expect(verify).toHaveBeenCalledTimes(1);
  vi.useFakeTimers({ toFake: ['Date'], now: exp * 1000 });
  await tokens.claimsOf('a', verify);
  await tokens.claimsOf('a', verify);
  expect(verify).toHaveBeenCalledTimes(3);
});

it('verifies a token without expiry, and a rejected one, each time', async () => {
  const tokens = new VerifiedTokens();
  const forever = vi.fn(async () => ({ sub: 'an account' }));
  const refused = vi.fn(async () => Promise.reject(new Error('refused')));
  for (let i = 0; i < 2; i++) {
    await tokens.claimsOf('a', forever);
    await expect(tokens.claimsOf('b', refused)).rejects.toThrow('refused');
  }
  expect([forever, refused].map((verify) => verify.mock.calls.length)).toEqual([2, 2]);
});

it('keeps at most its maximum, and forgets the oldest first', async () => {
  const tokens = new VerifiedTokens();
  for (let i = 0; i <= MAX_VERIFIED_TOKENS; i++) await tokens.claimsOf(`${i}`, async () => claims);
  expect(tokens.size).toBe(MAX_VERIFIED_TOKENS);
  const verify = vi.fn(async () => claims);
  await tokens.claimsOf('1', verify);
  await tokens.claimsOf(`${MAX_VERIFIED_TOKENS}`, verify);
  expect(verify).not.toHaveBeenCalled();
  await tokens.claimsOf('0', verify);
  expect(verify).toHaveBeenCalledTimes(1);
});

it('forgets a token whose keys were discarded while it was verified', async () => {
  const tokens = new VerifiedTokens();
  await tokens.claimsOf('a', async () => {
    tokens.clear();
    return claims;
  });
  const verify = vi.fn(async () => claims);
  await tokens.claimsOf('a', verify);
  expect(verify).toHaveBeenCalledTimes(1);
});
