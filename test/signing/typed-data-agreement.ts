/** The product signs what the libraries agree on, and rejects what they do not, with a path. */
import fc from 'fast-check';
import { toHex } from 'viem';
import { expect } from 'vitest';
import { refusalOf } from './signed.ts';
import { documents, oddDocuments } from './typed-data-documents.ts';
import { type Digests, type Document, digestsOf } from './typed-data-libraries.ts';

/** The digest that the product signs, or its refusal. */
export function productOf(document: Document): string {
  // As it arrives: JSON has no undefined.
  const typed_data = JSON.parse(JSON.stringify(document)) as Record<string, unknown>;
  const signing = refusalOf({ type: 'evm.typed_data', typed_data });
  return typeof signing === 'string' ? signing : toHex(signing.payload);
}

const isDigest = (text: string) => text.startsWith('0x');

/** Every library that has a form for the document gives the digest that the product signs. Returns how many have one. */
export function expectSameDigest(document: Document): number {
  const digests = digestsOf(document);
  const given = Object.values(digests).filter((text) => text !== 'not expressible');
  expect({ ...digests, product: productOf(document) }).toEqual({
    viem: digests.viem,
    metamask: digests.viem,
    ethers: expect.toBeOneOf([digests.viem, 'not expressible']),
    product: digests.viem,
  });
  expect(isDigest(digests.viem)).toBe(true);
  return given.length;
}

/** viem decides together with one of the others. Nothing that any library hashes in another way is signed. */
function expectAgreement(document: Document): 'signed' | 'rejected' {
  const product = productOf(document);
  const digests = digestsOf(document);
  const all = Object.values(digests);
  if (isDigest(product)) {
    const hashed = all.filter(isDigest);
    expect([document, hashed.length >= 2, ...hashed]).toEqual([document, true, ...hashed.map(() => product)]);
    return 'signed';
  }
  expect([document, agreed(digests)]).toEqual([document, false]);
  expect(product).toMatch(/^typed_data_malformed (types|domain|message|primaryType)/);
  return 'rejected';
}

/** All have one digest. */
function agreed({ viem, ethers, metamask }: Digests): boolean {
  return isDigest(viem) && viem === ethers && viem === metamask;
}

export function expectDifferentialToHold(numRuns: number): void {
  let byThree = 0;
  fc.assert(
    fc.property(documents, (document) => {
      if (expectSameDigest(document) === 3) byThree += 1;
    }),
    { numRuns },
  );
  expect(byThree).toBeGreaterThan(numRuns / 4);

  const seen = { signed: 0, rejected: 0 };
  fc.assert(
    fc.property(oddDocuments, (document) => {
      seen[expectAgreement(document)] += 1;
    }),
    { numRuns },
  );
  expect(Math.min(seen.signed, seen.rejected)).toBeGreaterThan(numRuns / 10);
}
