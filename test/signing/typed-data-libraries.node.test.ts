/** What bots sign today gets the same digest as from viem, ethers and MetaMask's library. */
import { describe, expect, it } from 'vitest';
import documents from '../vectors/typed-data.json' with { type: 'json' };
import { expectDifferentialToHold, expectSameDigest, productOf } from './typed-data-agreement.ts';
import { type Document, digestsOf } from './typed-data-libraries.ts';

describe('documents that bots sign today', () => {
  it.each(documents)('$name -> the digest of every library', ({ document, digest }) => {
    const typedData = document as unknown as Document;
    expect(productOf(typedData)).toBe(digest);
    expectSameDigest(typedData);
  });

  it('without types.EIP712Domain, as ethers and viem take them -> the same digest', () => {
    // The domain of Injective has texts where EIP-712 has an address and bytes: it has to be declared.
    const standard = documents.filter(({ name }) => !/^Injective|not declared/.test(name));
    for (const { document, digest } of standard) {
      const { EIP712Domain: _, ...types } = document.types;
      const typedData = { ...document, types } as unknown as Document;
      expect([digestsOf(typedData), productOf(typedData)]).toEqual([
        { viem: digest, ethers: digest, metamask: digest },
        digest,
      ]);
    }
    expect(standard.length).toBeGreaterThan(30);
  });
});

it('200 generated documents have the digest of every library, or are rejected where the libraries differ', () => {
  expectDifferentialToHold(100);
});
