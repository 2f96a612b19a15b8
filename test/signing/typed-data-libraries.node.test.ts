/** What bots sign today gets the same digest as from viem, ethers and MetaMask's library. */
import { it } from 'vitest';
import { expectDifferentialToHold } from './typed-data-agreement.ts';

it('600 generated documents have the digest of every library, or are rejected where the libraries differ', () => {
  expectDifferentialToHold(300);
});
