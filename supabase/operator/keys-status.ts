/**
 * `npm run keys:status`: how many envelopes each master key sealed, in one snapshot, and whether it is in ENCRYPTION_KEY
 * (from the environment; without it every one is missing). `-- --json` for programs.
 * Exit codes: 0 every envelope's master key is there; 1 something failed; 2 some are missing.
 */
import { parseArgs } from 'node:util';
import { parseKeyring } from '../../src/crypto/keyring.ts';
import { connectAsOperator } from './connect.ts';
import { run, say } from './key-setting.ts';
import { keysStatus, sayStatus, sayWhoseAreMissing } from './key-status.ts';

await run(async () => {
  const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } } });
  const setting = process.env.ENCRYPTION_KEY;
  const keyring = setting?.trim() ? await parseKeyring(setting) : undefined;
  const sql = connectAsOperator();
  try {
    const status = await keysStatus(sql, keyring);
    if (values.json) say(JSON.stringify(status, null, 2));
    else {
      sayStatus(status);
      await sayWhoseAreMissing(sql, status);
    }
    return status.unopenable > 0 ? 2 : 0;
  } finally {
    await sql.end({ timeout: 1 });
  }
});
