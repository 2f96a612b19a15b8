import { cloudflareTest } from '@cloudflare/vitest-plugin';
import { defineConfig } from 'vitest/config';

const setupFiles = ['./test/support/recorder.ts'];

/** Minutes of load and of every extreme value: a step of its own, see .ci/run. */
const long = ['test/attacks/extremes.node.test.ts', 'test/load/load.node.test.ts'];

export default defineConfig({
  test: {
    globalSetup: './test/support/global-setup.ts',
    projects: [
      {
        plugins: [
          cloudflareTest({
            wrangler: { configPath: './wrangler.toml' },
            // A real secret of a local Secrets Store, which tests put in: test/secrets-store.
            miniflare: {
              secretsStoreSecrets: { STORED_KEY: { store_id: 'local', secret_name: 'encryption-key' } },
            },
          }),
        ],
        test: {
          name: 'workerd',
          include: ['test/**/*.workerd.test.ts'],
          setupFiles,
          // One runtime for all files: starting one for each takes longer than their tests.
          isolate: false,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'node',
          include: ['test/**/*.node.test.ts'],
          exclude: ['test/leaks/**', ...long],
          setupFiles,
          testTimeout: 60_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'long',
          include: long,
          setupFiles,
          testTimeout: 60_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
      // Last, over everything that the others received, logged and stored.
      {
        test: {
          name: 'leaks',
          include: ['test/leaks/*.node.test.ts'],
          testTimeout: 120_000,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
