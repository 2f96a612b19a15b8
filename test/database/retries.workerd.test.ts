/** When a call is retried: the details that the responses of the whole service do not show. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { CallFailure, callWithRetry } from '../../src/database/postgrest.ts';
import { Problem } from '../../src/problem.ts';
import { TIME_LIMITS } from '../../src/time-limits.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

const noAnswer = () => new CallFailure(new Problem('database_unavailable'), 'unknown');
/** Throws each of these errors in turn, and then returns. */
const failing = (...errors: unknown[]) =>
  vi.fn(async (_: AbortSignal) => {
    const error = errors.shift();
    if (error !== undefined) throw error;
    return 'answered';
  });

it('a programming error is thrown unchanged, without a retry', async () => {
  const mistake = new TypeError('a mistake');
  const call = failing(mistake);
  await expect(callWithRetry(TIME_LIMITS, true, call)).rejects.toBe(mistake);
  expect(call).toHaveBeenCalledTimes(1);
  await expect(callWithRetry(TIME_LIMITS, true, failing(noAnswer(), mistake))).rejects.toBe(mistake);
});

it('there is never a third, and the second failure is told', async () => {
  const second = new CallFailure(new Problem('resource_not_found'), undefined);
  const call = failing(noAnswer(), second);
  await expect(callWithRetry(TIME_LIMITS, true, call)).rejects.toBe(second.problem);
  expect(await callWithRetry(TIME_LIMITS, true, failing(noAnswer()))).toBe('answered');
  const twice = failing(noAnswer(), noAnswer());
  await expect(callWithRetry(TIME_LIMITS, true, twice)).rejects.toMatchObject({
    code: 'database_unavailable',
  });
  expect(twice).toHaveBeenCalledTimes(2);
});

it.each([
  [0, 50],
  [0.5, 100],
  [0.75, 125],
])('callers that failed together retry at random times: %d -> after %i ms', async (chance, pause) => {
  vi.spyOn(Math, 'random').mockReturnValue(chance);
  const waited = vi.spyOn(globalThis, 'setTimeout');
  expect(await callWithRetry(TIME_LIMITS, true, failing(noAnswer()))).toBe('answered');
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
    expect(await callWithRetry(TIME_LIMITS, repeatable, failing(rejected()))).toBe('answered');
    expect(waited.mock.calls.map(([, ms]) => ms)).toEqual([1_050]);
  });

  it('is sent again after Retry-After, if that is longer', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0);
    const waited = vi
      .spyOn(globalThis, 'setTimeout')
      .mockImplementation(((done: () => void) => done()) as never);
    expect(await callWithRetry(TIME_LIMITS, false, failing(rejected(2_000)))).toBe('answered');
    expect(waited.mock.calls.map(([, ms]) => ms)).toEqual([2_050]);
  });

  it('is not sent again if that would exceed the time limit of a call', async () => {
    const call = failing(rejected());
    const limits = { ...TIME_LIMITS, callMs: 1_000 };
    await expect(callWithRetry(limits, true, call)).rejects.toMatchObject({ code: 'database_rejects_token' });
    expect(call).toHaveBeenCalledTimes(1);
  });

  it('is not sent a third time', async () => {
    const call = failing(rejected(), rejected());
    await expect(callWithRetry({ ...TIME_LIMITS, rejectedPauseMs: 1 }, false, call)).rejects.toMatchObject({
      code: 'database_rejects_token',
    });
    expect(call).toHaveBeenCalledTimes(2);
  });
});

describe('a call that is rejected because too many wait for the same lock', () => {
  const busy = () => new CallFailure(new Problem('database_busy'), 'busy');

  it.each([true, false])('is retried until it succeeds, if repeatable is %s', async (repeatable) => {
    vi.spyOn(Math, 'random').mockReturnValue(0);
    const waited = vi
      .spyOn(globalThis, 'setTimeout')
      .mockImplementation(((done: () => void) => done()) as never);
    const call = failing(busy(), busy(), busy(), busy(), busy(), busy());
    expect(await callWithRetry(TIME_LIMITS, repeatable, call)).toBe('answered');
    expect(call).toHaveBeenCalledTimes(7);
    expect(waited.mock.calls.map(([, ms]) => ms)).toEqual([12.5, 25, 50, 100, 200, 200]);
  });

  it('ends with database_busy at the time limit', async () => {
    const call = vi.fn(async (_: AbortSignal) => {
      throw busy();
    });
    const began = Date.now();
    await expect(callWithRetry({ ...TIME_LIMITS, callMs: 300 }, false, call)).rejects.toMatchObject({
      code: 'database_busy',
    });
    expect(Date.now() - began).toBeLessThanOrEqual(300);
    expect(call.mock.calls.length).toBeGreaterThan(1);
  });

  it.each([true, false])(
    'ends in time if the last attempt gets no response, if repeatable is %s',
    async (repeatable) => {
      // Attempts begin after 0, 12.5, 37.5, 87.5 and 187.5 ms.
      vi.spyOn(Math, 'random').mockReturnValue(0);
      const began = Date.now();
      const call = (signal: AbortSignal) =>
        new Promise<never>((_, reject) => {
          if (Date.now() - began < 150) reject(busy());
          signal.addEventListener('abort', () => reject(noAnswer()));
        });
      await expect(callWithRetry({ ...TIME_LIMITS, callMs: 400 }, repeatable, call)).rejects.toMatchObject({
        code: 'database_unavailable',
      });
      expect(Date.now() - began).toBeLessThan(500);
    },
  );

  it('that then gets no response -> the same result as any other call', async () => {
    const call = failing(busy(), noAnswer());
    await expect(callWithRetry(TIME_LIMITS, false, call)).rejects.toMatchObject({
      code: 'database_unavailable',
    });
    expect(await callWithRetry(TIME_LIMITS, true, failing(busy(), noAnswer()))).toBe('answered');
  });
});
