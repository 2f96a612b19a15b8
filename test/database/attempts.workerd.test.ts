/** When a call is made a second time: what of it the answers of a whole service do not show. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { CallFailure } from '../../src/database/answer.ts';
import { attempts } from '../../src/database/attempts.ts';
import { Problem } from '../../src/problem.ts';
import { TIME_LIMITS } from '../../src/time-limits.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

const noAnswer = () => new CallFailure(new Problem('database_unavailable'), 'unknown');
/** Fails as each of these says, and then answers. */
const failing = (...errors: unknown[]) =>
  vi.fn(async (_: AbortSignal) => {
    const error = errors.shift();
    if (error !== undefined) throw error;
    return 'answered';
  });

it('a mistake of ours is no answer of the database: it is not asked again, and told as it is', async () => {
  const mistake = new TypeError('a mistake');
  const call = failing(mistake);
  await expect(attempts(TIME_LIMITS, true, call)).rejects.toBe(mistake);
  expect(call).toHaveBeenCalledTimes(1);
  await expect(attempts(TIME_LIMITS, true, failing(noAnswer(), mistake))).rejects.toBe(mistake);
});

it('there is never a third, and the second failure is told', async () => {
  const second = new CallFailure(new Problem('not_found'), undefined);
  const call = failing(noAnswer(), second);
  await expect(attempts(TIME_LIMITS, true, call)).rejects.toBe(second.problem);
  expect(await attempts(TIME_LIMITS, true, failing(noAnswer()))).toBe('answered');
  const twice = failing(noAnswer(), noAnswer());
  await expect(attempts(TIME_LIMITS, true, twice)).rejects.toMatchObject({ code: 'database_unavailable' });
  expect(twice).toHaveBeenCalledTimes(2);
});

it.each([
  [0, 50],
  [0.5, 100],
  [0.75, 125],
])('who failed together does not return together: by chance %d after %i ms', async (chance, pause) => {
  vi.spyOn(Math, 'random').mockReturnValue(chance);
  const waited = vi.spyOn(globalThis, 'setTimeout');
  expect(await attempts(TIME_LIMITS, true, failing(noAnswer()))).toBe('answered');
  expect(waited.mock.calls.map(([, ms]) => ms)).toContain(pause);
});

describe('a token or API key that is rejected before the call begins', () => {
  const rejected = (retryAfterMs?: number) =>
    new CallFailure(new Problem('database_rejects_token'), 'rejected', retryAfterMs);

  it.each([true, false])('is sent again after about a second, if repeatable is %s', async (repeatable) => {
    vi.spyOn(Math, 'random').mockReturnValue(0);
    const waited = vi
      .spyOn(globalThis, 'setTimeout')
      .mockImplementation(((done: () => void) => done()) as never);
    expect(await attempts(TIME_LIMITS, repeatable, failing(rejected()))).toBe('answered');
    expect(waited.mock.calls.map(([, ms]) => ms)).toEqual([1_050]);
  });

  it('is sent again after Retry-After, if that is longer', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0);
    const waited = vi
      .spyOn(globalThis, 'setTimeout')
      .mockImplementation(((done: () => void) => done()) as never);
    expect(await attempts(TIME_LIMITS, false, failing(rejected(2_000)))).toBe('answered');
    expect(waited.mock.calls.map(([, ms]) => ms)).toEqual([2_050]);
  });

  it('is not sent again if that would take longer than a call may', async () => {
    const call = failing(rejected());
    const limits = { ...TIME_LIMITS, callMs: 1_000 };
    await expect(attempts(limits, true, call)).rejects.toMatchObject({ code: 'database_rejects_token' });
    expect(call).toHaveBeenCalledTimes(1);
  });

  it('is not sent a third time', async () => {
    const call = failing(rejected(), rejected());
    await expect(attempts({ ...TIME_LIMITS, rejectedPauseMs: 1 }, false, call)).rejects.toMatchObject({
      code: 'database_rejects_token',
    });
    expect(call).toHaveBeenCalledTimes(2);
  });
});
