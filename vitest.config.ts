import { cloudflareTest } from '@cloudflare/vitest-plugin';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const setupFiles = ['./test/support/recorder.ts'];

/** These tests take minutes: races, faults, load, floods of attacks. `npm run test:long` runs them, a separate step of .ci/run. */
const long = [
  'test/attacks/extremes.node.test.ts',
  'test/attacks/fuzz.node.test.ts',
  'test/attacks/rest-matrix.node.test.ts',
  'test/attacks/smuggling.node.test.ts',
  'test/attacks/stored-envelopes.node.test.ts',
  'test/chains/*.node.test.ts',
  'test/database/*races.node.test.ts',
  'test/database/gate.node.test.ts',
  'test/database/push.node.test.ts',
  'test/database/rewrap.node.test.ts',
  'test/database/time-limits.node.test.ts',
  'test/e2e/dev.node.test.ts',
  'test/faults/*.node.test.ts',
  'test/database/envelopes.node.test.ts',
  'test/keys/linear-memory.node.test.ts',
  'test/load/load.node.test.ts',
  'test/middleware/rate-limit.node.test.ts',
  'test/rpc/{nodes,send}.node.test.ts',
  'test/sdk/{canonical,package,python,retries}.node.test.ts',
  'test/services/memory.node.test.ts',
  'test/signing/typed-data-differential.node.test.ts',
];
const longInWorkerd = [
  'test/attacks/{payloads,tokens}.workerd.test.ts',
  'test/routes/key-forms.workerd.test.ts',
  'test/signing/solana-mutations.workerd.test.ts',
  'test/routes/unreachable-database.workerd.test.ts',
];

/** These tests start a process for each case. `npm run test:commands` runs them, a separate step of .ci/run. */
const commands = [
  'test/database/{advisors,linking,step-up}.node.test.ts',
  'test/e2e/{bundle,readme}.node.test.ts',
  'test/monitor/audit.node.test.ts',
  'test/operator/{accounts,backup,connect,help,import,import-command,issue-token,keys,restore}.node.test.ts',
];

/** Files that take longest, the longest first: they begin first, so that no run ends with one of them on one core. */
const slow = [
  'test/database/pgtap.node.test.ts',
  'test/database/monitor.node.test.ts',
  'test/database/plans.node.test.ts',
  'test/database/bounds.node.test.ts',
  'test/database/bad-rows.node.test.ts',
  'test/routes/idempotency.workerd.test.ts',
  'test/routes/missing-settings.workerd.test.ts',
  'test/middleware/step-up.workerd.test.ts',
  'test/routes/policies.workerd.test.ts',
  'test/routes/strangers.workerd.test.ts',
  'test/routes/key-events.workerd.test.ts',
  'test/routes/missing-secrets.workerd.test.ts',
  'test/attacks/machine-tokens.workerd.test.ts',
  'test/attacks/hidden-changes.workerd.test.ts',
  'test/attacks/copied-rows.workerd.test.ts',
  'test/routes/unknown-fields.workerd.test.ts',
  'test/routes/add-wallet.workerd.test.ts',
  'test/routes/health.workerd.test.ts',
  'test/keys/sign.workerd.test.ts',
  'test/monitor/bots.workerd.test.ts',
  'test/e2e/flows.node.test.ts',
  'test/routes/quarantine.workerd.test.ts',
  'test/routes/idempotency-signing.workerd.test.ts',
  'test/database/rest.node.test.ts',
  'test/routes/nothing-secret.workerd.test.ts',
  'test/database/pool.node.test.ts',
  'test/routes/tokens.workerd.test.ts',
  'test/middleware/log-requests.workerd.test.ts',
  'test/database/hosted-shape.node.test.ts',
  'test/routes/sign.workerd.test.ts',
  'test/routes/addresses.workerd.test.ts',
  'test/routes/master-keys.node.test.ts',
  'test/e2e/cron.node.test.ts',
  'test/services/sealing.workerd.test.ts',
  'test/routes/sign-refusals.workerd.test.ts',
  'test/attacks/enumeration.workerd.test.ts',
  'test/middleware/browser.workerd.test.ts',
  'test/database/audit-chain.node.test.ts',
  'test/e2e/types.node.test.ts',
  'test/routes/rotate-key.workerd.test.ts',
  'test/routes/openapi.workerd.test.ts',
  'test/routes/create-bot.workerd.test.ts',
  'test/routes/revoke-key.workerd.test.ts',
  'test/middleware/body.workerd.test.ts',
  'test/sdk/errors.node.test.ts',
  'test/e2e/sign-up.node.test.ts',
  'test/signing/typed-data.workerd.test.ts',
  'test/routes/setup-bot.workerd.test.ts',
  'test/sdk/lost-answers.workerd.test.ts',
  'test/routes/names.workerd.test.ts',
  'test/signing/evm-transaction.workerd.test.ts',
  'test/middleware/hosted-sessions.workerd.test.ts',
  'test/app.workerd.test.ts',
];

class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const place = ({ moduleId, project }: TestSpecification) => {
      const index = slow.findIndex((path) => moduleId.endsWith(path));
      // Files of one project stay together, and the projects in their order.
      return {
        group: sorted.findIndex((other) => other.project.name === project.name),
        index: index < 0 ? slow.length : index,
      };
    };
    return sorted
      .map((file) => ({ file, ...place(file) }))
      .sort((a, b) => a.group - b.group || a.index - b.index)
      .map(({ file }) => file);
  }
}

/** Tests that replace a module, which the other files of a process would get too. */
const mocks = [
  'test/keys/{ecdsa,ed25519,wipe}.node.test.ts',
  'test/operator/{fernet,open-keys}.node.test.ts',
];

const inNode = (
  name: string,
  include: readonly string[],
  exclude: readonly string[] = [],
  isolate = true,
) => ({
  test: {
    name,
    include: [...include],
    exclude: [...exclude],
    setupFiles,
    isolate,
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
      // One process for all files of a test worker: starting one for each file is a quarter of their time.
      inNode('node', ['test/**/*.node.test.ts'], ['test/leaks/**', ...long, ...commands, ...mocks], false),
      inNode('mocks', mocks),
      // `npm run test:fast`, for the loop while somebody works on the code.
      inWorkerd('fast-workerd', ['test/**/*.workerd.test.ts'], [...longInWorkerd, ...slow]),
      inNode(
        'fast',
        ['test/**/*.node.test.ts'],
        ['test/leaks/**', ...long, ...commands, ...mocks, ...slow],
        false,
      ),
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
