/** Only the tests of keys, crypto and authentication, in Node, because Stryker cannot run in workerd. No database is started. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    globalSetup: './test/mutation/global-setup.ts',
    setupFiles: ['./test/mutation/as-in-workerd.ts'],
    testTimeout: 15_000,
    include: [
      // vectors.workerd.test.ts is left out: it tests the two implementations of AES-GCM, not our code.
      'test/crypto/{audit-key,envelope,envelope-refusals,equal,keyring}.workerd.test.ts',
      'test/keys/*.test.ts',
      'test/middleware/{authenticate,verify-token,verified-tokens,signing-keys}.workerd.test.ts',
      'test/{machine-token,master-keys}.workerd.test.ts',
    ],
  },
});
