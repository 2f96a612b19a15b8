/** How the master keys are read from their source, and how long they are used. */
import { describe, expect, it, vi } from 'vitest';
import { parseKeyring } from '../src/crypto/keyring.ts';
import { createKeyringSource, type MasterKeySource, masterKeySource } from '../src/master-keys.ts';

const another = () => btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32))));
const idOf = async (setting: string) => (await parseKeyring(setting)).primary.id;
const failing = () => Promise.reject(new Error('the store is down'));

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** A source that returns what a test sets, the keyring on top of it, and the clock. */
function harness(freshForMs = MINUTE) {
  const read = vi.fn<MasterKeySource['read']>();
  let now = 1_000_000;
  const keyring = createKeyringSource({ read, freshForMs }, () => now);
  return {
    read,
    keyring,
    primary: async () => (await keyring()).primary.id,
    later: (ms: number) => {
      now += ms;
    },
  };
}

describe('a source', () => {
  it('is read once while its keys are fresh, and again afterwards', async () => {
    const [first, second] = [another(), another()];
    const { read, primary, later } = harness();
    read.mockResolvedValue(first);
    expect(await primary()).toBe(await idOf(first));
    read.mockResolvedValue(`${second},${first}`);
    later(MINUTE - 1);
    expect(await primary()).toBe(await idOf(first));
    expect(read).toHaveBeenCalledTimes(1);
    later(1);
    expect(await primary()).toBe(await idOf(second));
    expect(read).toHaveBeenCalledTimes(2);
  });

  it('that responds late -> its keys count from the time of the request', async () => {
    const { read, keyring, later } = harness();
    read.mockImplementation(async () => {
      later(2 * SECOND);
      return another();
    });
    await keyring();
    later(MINUTE - 2 * SECOND - 1);
    await keyring();
    expect(read).toHaveBeenCalledTimes(1);
    later(1);
    await keyring();
    expect(read).toHaveBeenCalledTimes(2);
  });

  it('whose keys fail for another reason than their format -> that error, and not master_key_malformed', async () => {
    const { read, keyring } = harness();
    read.mockResolvedValue(another());
    const reason = new Error('no Web Crypto');
    const spy = vi.spyOn(crypto.subtle, 'importKey').mockRejectedValueOnce(reason);
    await expect(keyring()).rejects.toBe(reason);
    spy.mockRestore();
  });

  it('that fails -> master_key_unavailable, until it works again', async () => {
    const { read, primary, keyring } = harness();
    read.mockImplementation(failing);
    await expect(keyring()).rejects.toMatchObject({ code: 'master_key_unavailable' });
    await expect(keyring()).rejects.toMatchObject({ code: 'master_key_unavailable' });
    const key = another();
    read.mockResolvedValue(key);
    expect(await primary()).toBe(await idOf(key));
  });

  it('that fails later -> the last keys for a quarter of an hour, then an error', async () => {
    const key = another();
    const { read, primary, keyring, later } = harness();
    read.mockResolvedValueOnce(key);
    await keyring();
    read.mockImplementation(failing);
    later(15 * MINUTE - 1);
    expect(await primary()).toBe(await idOf(key));
    later(1);
    await expect(keyring()).rejects.toMatchObject({ code: 'master_key_unavailable' });
  });

  it('that does not respond counts as failed after three seconds', async () => {
    vi.useFakeTimers();
    try {
      const { read, keyring } = harness();
      read.mockReturnValue(new Promise(() => {}));
      const answer = expect(keyring()).rejects.toMatchObject({ code: 'master_key_unavailable' });
      await vi.advanceTimersByTimeAsync(3 * SECOND);
      await answer;
    } finally {
      vi.useRealTimers();
    }
  });

  it('leaves no timer after it has responded or failed', async () => {
    vi.useFakeTimers();
    try {
      const { read, keyring, primary } = harness();
      read.mockImplementationOnce(failing).mockResolvedValueOnce(another());
      await expect(keyring()).rejects.toMatchObject({ code: 'master_key_unavailable' });
      await primary();
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it('is read by the clock of the machine if no other clock is given', async () => {
    const read = vi.fn<MasterKeySource['read']>().mockResolvedValue(another());
    const keyring = createKeyringSource({ read, freshForMs: MINUTE });
    const now = Date.now();
    const clock = vi.spyOn(Date, 'now');
    for (const [at, times] of [
      [now, 1],
      [now + MINUTE - 1, 1],
      [now + MINUTE, 2],
    ] as const) {
      clock.mockReturnValue(at);
      await keyring();
      expect(read).toHaveBeenCalledTimes(times);
    }
    clock.mockRestore();
  });

  it.each([
    ['nothing', 'master_key_missing', undefined],
    ['an empty text', 'master_key_missing', ''],
    ['no list of keys', 'master_key_malformed', 'x'],
  ])('that returns %s -> %s, also if it returned keys before', async (_, code, value) => {
    const { read, keyring, later } = harness();
    read.mockResolvedValueOnce(another());
    await keyring();
    later(MINUTE);
    read.mockResolvedValueOnce(value);
    await expect(keyring()).rejects.toMatchObject({ code });
    // The earlier keys are discarded: if the store then fails, they are not used again.
    read.mockImplementation(failing);
    await expect(keyring()).rejects.toMatchObject({ code: 'master_key_unavailable' });
  });

  it('is the environment if the setting is a text, and is never read again', async () => {
    const key = another();
    const source = masterKeySource(key);
    expect([await source.read(), source.freshForMs]).toEqual([key, Number.POSITIVE_INFINITY]);
    expect(await masterKeySource(undefined).read()).toBeUndefined();
  });

  it('is the binding if the setting is a binding, and is read again after a minute', async () => {
    const key = another();
    // A method that depends on its object, as bindings may have.
    const binding = {
      key,
      async get() {
        return this.key;
      },
    };
    const source = masterKeySource(binding);
    expect([await source.read(), source.freshForMs]).toEqual([key, MINUTE]);
  });
});
