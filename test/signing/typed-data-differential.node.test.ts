/** As typed-data-libraries, with thousands of documents. */
import { it } from 'vitest';
import { expectDifferentialToHold } from './typed-data-agreement.ts';

it('3,000 generated documents have the digest of every library, or are rejected where the libraries differ', {
  timeout: 600_000,
}, () => {
  expectDifferentialToHold(1500);
});
