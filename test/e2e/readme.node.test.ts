/** The README's commands, word for word, against `npm run dev`. */
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { removePostgres } from '../../tools/stack/postgres.ts';

/** The shell lines of the sections, as one script. */
function flows(): string {
  const section =
    /## The two flows\n([\s\S]*?)\n## What happens to keys/.exec(readFileSync('README.md', 'utf8'))?.[1] ??
    '';
  return [...section.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, lines]) => lines).join('\n');
}

test('the two flows of the README run as they are written', { timeout: 120_000 }, async () => {
  const home = mkdtempSync(join(tmpdir(), 'trading-keys-readme-'));
  chmodSync(home, 0o755);
  const directory = join(home, '.local');
  const dev = spawn(process.execPath, ['tools/stack/dev.ts', '--directory', directory], {
    stdio: 'ignore',
  });
  const ended = new Promise((resolve) => dev.once('exit', resolve));
  try {
    await expect.poll(() => existsSync(join(directory, 'stack.json')), { timeout: 60_000 }).toBe(true);
    const { stdout, stderr } = spawnSync('sh', ['-eu', '-c', flows()], { cwd: home, encoding: 'utf8' });
    expect(stderr).toBe('');
    const answers = stdout
      .trim()
      .replaceAll('}{', '}\n{')
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(answers).toMatchObject([
      { status: 'stopped', wallets: [{ key_source: 'trading' }] },
      { bot_types: expect.arrayContaining([expect.objectContaining({ id: 'evm-dca' })]) },
      { status: 'running', wallets: [{ key_source: 'trading' }] },
      { version: 2, wallets_updated: 1 },
      { version: 2 },
      { bots_stopped: 1, wallets_cleared: 1 },
      { chain_ids: ['1'], max_value: '1000000000000000' },
      { items: [{ status: 'running', wallets: [{ key_source: 'trading' }] }] },
      { status: 'running', config: {}, wallets: [{ key_source: 'trading' }] },
      {
        signature: expect.stringMatching(/^0x[0-9a-f]{130}$/),
        signed_transaction: expect.stringMatching(/^0x02/),
      },
      { items: [{ event: 'key_released', actor: 'runner', signatures: 1 }], next_cursor: null },
    ]);
  } finally {
    dev.kill('SIGTERM');
    await ended;
    removePostgres(join(directory, 'postgres'));
    rmSync(home, { recursive: true, force: true });
  }
});
