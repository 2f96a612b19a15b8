import { afterEach, describe, expect, it, vi } from 'vitest';
import { open } from '../../src/crypto/envelope.ts';
import { parseKeyring } from '../../src/crypto/keyring.ts';
import { Problem } from '../../src/problem.ts';
import { sealKey, sealWallet } from '../../src/services/sealing.ts';
import { MASTER_KEY } from '../support/api.ts';
import { newEvmKey, newSolanaKey } from '../support/private-keys.ts';

const keyring = () => parseKeyring(MASTER_KEY);
const clientId = crypto.randomUUID();
const ZEROS = new Uint8Array(32);

afterEach(() => {
  vi.restoreAllMocks();
});

/** The contents of buffers at the time they were filled with zeros. */
function watchWiping(): string[] {
  const wiped: string[] = [];
  const original = Uint8Array.prototype.fill;
  vi.spyOn(Uint8Array.prototype, 'fill').mockImplementation(function (this: Uint8Array, value, ...range) {
    if (value === 0) wiped.push(String(this));
    return original.call(this, value, ...range) as never;
  });
  return wiped;
}

describe('sealKey', () => {
  it.each([
    ['EVM', newEvmKey],
    ['Solana', newSolanaKey],
  ])('seals an %s key for its client, under a new key id', async (_, newKey) => {
    const key = newKey();
    const sealed = await sealKey({ private_key: key.privateKey }, clientId, keyring);
    expect(sealed).toMatchObject({ address: key.address, chain: key.chain });
    const binding = { clientId, chain: sealed.chain, address: sealed.address, keyId: sealed.key_id };
    expect(await open(sealed.encrypted_key, binding, await keyring())).toEqual(key.secret);
    const again = await sealKey({ private_key: key.privateKey }, clientId, keyring);
    expect(again.key_id).not.toBe(sealed.key_id);
  });

  it('wipes the bytes after sealing', async () => {
    const key = newEvmKey();
    const seen: Uint8Array[] = [];
    const original = crypto.subtle.encrypt.bind(crypto.subtle);
    const cipher = vi.spyOn(crypto.subtle, 'encrypt').mockImplementation((algorithm, by, data) => {
      seen.push(Uint8Array.from(data as Uint8Array));
      return original(algorithm, by, data);
    });
    await sealKey({ private_key: key.privateKey }, clientId, keyring);
    const at = seen.findIndex((bytes) => String(bytes) === String(key.secret));
    expect(at).toBeGreaterThanOrEqual(0);
    expect(cipher.mock.calls[at]?.[2]).toEqual(ZEROS);
  });

  it('wipes the bytes if sealing fails', async () => {
    const { privateKey, secret } = newEvmKey();
    vi.spyOn(crypto.subtle, 'encrypt').mockRejectedValue(new Error('no'));
    const wiped = watchWiping();
    await expect(sealKey({ private_key: privateKey }, clientId, keyring)).rejects.toThrow();
    expect(wiped).toContain(String(secret));
  });

  it('wipes the bytes without a master key, and throws the specific problem', async () => {
    const { privateKey, secret } = newEvmKey();
    const none = () => Promise.reject(new Problem('master_key_missing'));
    const wiped = watchWiping();
    await expect(sealKey({ private_key: privateKey }, clientId, none)).rejects.toMatchObject({
      code: 'master_key_missing',
    });
    expect(wiped).toContain(String(secret));
  });

  it('reports an invalid key, with its pointer in the body, before it reads the master key', async () => {
    const source = vi.fn(keyring);
    await expect(sealKey({ private_key: 'x' }, clientId, source, '/wallets/3')).rejects.toMatchObject({
      code: 'private_key_wrong_length',
      errors: [{ pointer: '/wallets/3/private_key', code: 'private_key_wrong_length' }],
    });
    expect(source).not.toHaveBeenCalled();
  });
});

describe('sealWallet', () => {
  const { address } = newEvmKey();

  it('without a key and address -> returns nothing to store', async () => {
    expect(await sealWallet({}, clientId, keyring)).toEqual({});
  });

  it('with a chain alone -> returns that chain, which the database compares', async () => {
    expect(await sealWallet({ chain: 'solana' }, clientId, keyring)).toEqual({ chain: 'solana' });
  });

  it('with an address alone -> returns its chain and canonical form', async () => {
    const wallet = await sealWallet({ address: address.toLowerCase() }, clientId, keyring);
    expect(wallet).toEqual({ address, chain: 'evm' });
  });

  it('with an address of another chain than the given one -> chain_mismatch', async () => {
    await expect(
      sealWallet({ address, chain: 'solana' }, clientId, keyring, '/wallets/0'),
    ).rejects.toMatchObject({
      code: 'chain_mismatch',
      errors: [{ pointer: '/wallets/0/chain' }],
    });
  });
});
