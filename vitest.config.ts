import { cloudflareTest } from '@cloudflare/vitest-plugin';
import { defineConfig } from 'vitest/config';

const setupFiles = ['./test/support/recorder.ts'];

/** Races, faults, load and drills take minutes: `npm run test:long`, a step of its own in .ci/run. */
const long = [
  'test/attacks/extremes.node.test.ts',
  'test/attacks/fuzz.node.test.ts',
  'test/chains/runner.node.test.ts',
  'test/database/*races.node.test.ts',
  'test/database/push.node.test.ts',
  'test/database/rewrap.node.test.ts',
  'test/e2e/dev.node.test.ts',
  'test/faults/*.node.test.ts',
  'test/load/load.node.test.ts',
  'test/operator/restore.node.test.ts',
  'test/services/memory.node.test.ts',
];

export default defineConfig({
  test: {
    globalSetup: './test/support/global-setup.ts',
    // Most of the time of a test is waiting: for PostgreSQL, for the Worker, for a clock.
    maxWorkers: 3,
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
          testTimeout: 60_000,
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
          // The long tests send no Idempotency-Key by the recorded way.
          provide: { hasIdempotencyKeys: !process.argv.includes('long') },
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
