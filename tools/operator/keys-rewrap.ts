/** `npm run keys:rewrap`: moves every envelope to the first key of ENCRYPTION_KEY, without REWRAP_TOKEN in the Worker. */
import { parseKeyring } from '../../src/crypto/keyring.ts';
import { rewrapKeys } from '../../src/services/rewrap.ts';
import { print, runCommand } from './command.ts';
import { connectAsOperator, LOCAL, WHICH_DATABASE } from './connect.ts';
import { UsageError } from './failure.ts';
import { rewrapStore } from './rewrap-store.ts';

const MAX_BATCH = 200;

const usage = `Usage: npm run keys:rewrap -- [--local] [--batch N] [--limit N] [--dry-run]

Moves every envelope to the first key of ENCRYPTION_KEY (from the environment). Press Ctrl-C to stop after the current
batch, or twice to stop at once. The next run continues.

  --batch N  envelopes in one transaction, 1 to ${MAX_BATCH} (default 50)
  --limit N  the maximum number of envelopes to process
  --dry-run  opens, seals and compares envelopes, but stores nothing
${WHICH_DATABASE}

Exit codes: 0 nothing is left, or in a dry run, everything opens; 1 the command failed; 2 something is left or does not
open, or an option is wrong; 130 interrupted.`;

const options = {
  batch: { type: 'string', default: '50' },
  limit: { type: 'string' },
  'dry-run': { type: 'boolean', default: false },
  local: LOCAL,
} as const;

await runCommand({ usage, options }, async (values) => {
  const batch = wholeNumber('--batch', values.batch, MAX_BATCH);
  const limit = values.limit === undefined ? Number.POSITIVE_INFINITY : wholeNumber('--limit', values.limit);
  const dryRun = values['dry-run'];
  const keyring = await parseKeyring(process.env.ENCRYPTION_KEY);
  let interrupted = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      interrupted = true;
      print('Stopping after this batch.');
    });
  }
  const sql = await connectAsOperator(values);
  try {
    print(`Moving to ${keyring.primary.id}${dryRun ? ' (dry run: nothing is stored)' : ''}`);
    const began = performance.now();
    let looked = 0;
    let moved = 0;
    for (;;) {
      const before = { looked, moved };
      const result = await rewrapKeys(rewrapStore(sql, keyring.primary.id), keyring, {
        batch,
        limit: limit - looked,
        dryRun,
        shouldContinue: () => !interrupted,
        onBatch(counts) {
          moved = before.moved + counts.moved;
          looked = before.looked + counts.moved + counts.changed + counts.busy + counts.not_opened;
          print(
            `${dryRun ? 'could move' : 'moved'} ${moved}, changed meanwhile ${counts.changed}, in use ${counts.busy}, not opened ${counts.not_opened}`,
          );
        },
        onNotOpened: ({ client_id, key_id }) => print(`does not open: client ${client_id}, key ${key_id}`),
      });
      // Another pass handles envelopes that were in use, and new ones under an older key, as long as a pass moves any.
      const again = result.complete && result.left > 0 && moved > before.moved && looked < limit && !dryRun;
      if (again && !interrupted) continue;
      const seconds = (performance.now() - began) / 1000;
      print(`${moved} keys in ${seconds.toFixed(1)} s; ${result.left} left under other master keys.`);
      if (interrupted) return 130;
      const wrong = dryRun ? result.not_opened : result.left;
      if (wrong > 0) print('To list them, run: npm run keys:status');
      return wrong > 0 ? 2 : 0;
    }
  } finally {
    await sql.end({ timeout: 5 });
  }
});

function wholeNumber(name: string, text: string, most = Number.MAX_SAFE_INTEGER): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1 || number > most) {
    throw new UsageError(
      `${name} takes a number from 1${most === Number.MAX_SAFE_INTEGER ? '' : ` to ${most}`}.`,
    );
  }
  return number;
}
