import { cloudflareTest } from '@cloudflare/vitest-plugin';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const setupFiles = ['./test/support/recorder.ts'];

/** These tests take minutes: races, faults, load, floods of attacks. `npm run test:long` runs them, a separate step of .ci/run. */
const long = [
  'test/attacks/extremes.node.test.ts',
  'test/attacks/fuzz.node.test.ts',
  'test/attacks/rest-matrix.node.test.ts',
  'test/attacks/stored-envelopes.node.test.ts',
  'test/chains/runner.node.test.ts',
  'test/database/*races.node.test.ts',
  'test/database/push.node.test.ts',
  'test/database/rewrap.node.test.ts',
  'test/e2e/dev.node.test.ts',
  'test/faults/*.node.test.ts',
  'test/load/load.node.test.ts',
  'test/sdk/package.node.test.ts',
  'test/services/memory.node.test.ts',
];
const longInWorkerd = [
  'test/attacks/payloads.workerd.test.ts',
  'test/routes/unreachable-database.workerd.test.ts',
];

/** These tests start a process for each case. `npm run test:commands` runs them, a separate step of .ci/run. */
const commands = [
  'test/database/advisors.node.test.ts',
  'test/e2e/readme.node.test.ts',
  'test/monitor/audit.node.test.ts',
  'test/operator/{accounts,backup,connect,help,import,import-command,issue-token,keys,restore}.node.test.ts',
];

/** Take longest, so that they begin first. Otherwise the run ends with one of them on one core. */
const slowest = [
  'database/pgtap.node',
  'sdk/retries.node',
  'middleware/rate-limit.node',
  'database/envelopes.node',
  'attacks/smuggling.node',
  'chains/signatures.node',
  'routes/key-forms.workerd',
  'attacks/tokens.workerd',
  'routes/missing-settings.workerd',
  'routes/missing-secrets.workerd',
  'middleware/step-up.workerd',
  'routes/policies.workerd',
  'routes/idempotency.workerd',
];

class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const place = ({ moduleId, project }: TestSpecification) => {
      const index = slowest.findIndex((name) => moduleId.endsWith(`test/${name}.test.ts`));
      // Files of one project stay together, and the projects in their order.
      return {
        group: sorted.findIndex((other) => other.project.name === project.name),
        index: index < 0 ? slowest.length : index,
      };
    };
    return sorted
      .map((file) => ({ file, ...place(file) }))
      .sort((a, b) => a.group - b.group || a.index - b.index)
      .map(({ file }) => file);
  }
}

const inNode = (name: string, include: readonly string[], exclude: readonly string[] = []) => ({
  test: {
    name,
    include: [...include],
    exclude: [...exclude],
    setupFiles,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    sequence: { groupOrder: 1 },
  },
});

const inWorkerd = (name: string, include: readonly string[], exclude: readonly string[] = []) => ({
  plugins: [
    cloudflareTest({
      wrangler: { configPath: './wrangler.toml' },
      // A secret of a local Secrets Store. test/secrets-store.workerd.test.ts sets its value.
      miniflare: {
        secretsStoreSecrets: { STORED_KEY: { store_id: 'local', secret_name: 'encryption-key' } },
      },
    }),
  ],
  test: {
    name,
    include: [...include],
    exclude: [...exclude],
    setupFiles,
    testTimeout: 60_000,
    // One runtime for all files of a test worker, because starting one for each file takes longer than its tests.
    isolate: false,
    sequence: { groupOrder: 1 },
  },
});

export default defineConfig({
  test: {
    globalSetup: './test/support/global-setup.ts',
    // More workers than processors, because tests mostly wait for PostgreSQL, the Worker or a clock.
    maxWorkers: 4,
    sequence: { sequencer: SlowestFirst },
    projects: [
      inWorkerd('workerd', ['test/**/*.workerd.test.ts'], longInWorkerd),
      inNode('node', ['test/**/*.node.test.ts'], ['test/leaks/**', ...long, ...commands]),
      inNode('commands', commands),
      inNode('long', long),
      inWorkerd('long-workerd', longInWorkerd),
      // Runs last, because it scans everything that the other tests received, logged and stored.
      {
        test: {
          name: 'leaks',
          include: ['test/leaks/*.node.test.ts'],
          testTimeout: 120_000,
          // Only the tests of `npm test` send Idempotency-Keys through the recorder.
          provide: { hasIdempotencyKeys: !process.argv.some((name) => /^(long|commands)$/.test(name)) },
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
