import { cloudflareTest } from '@cloudflare/vitest-plugin';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    globalSetup: './test/support/global-setup.ts',
    projects: [
      {
        plugins: [cloudflareTest({ wrangler: { configPath: './wrangler.toml' } })],
        test: { name: 'workerd', include: ['test/**/*.workerd.test.ts'] },
      },
      { test: { name: 'node', include: ['test/**/*.node.test.ts'], testTimeout: 30_000 } },
    ],
  },
});
