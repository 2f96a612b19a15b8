/**
 * `npm run keys:check`: reads ENCRYPTION_KEY, from the environment or standard input, as the Worker does, and says what
 * it is or what is wrong with it; with DATABASE_URL also which envelopes each key opens.
 * Exit codes: 0 all is well; 1 the list is wrong, or the database does not answer; 2 envelopes are left that none opens.
 */
import { KeyringError, parseKeyring } from '../../src/crypto/keyring.ts';
import { connectAsOperator } from './connect.ts';
import { faultsOf, keySetting, run, say } from './key-setting.ts';
import { keysStatus, sayStatus, sayWhoseAreMissing } from './key-status.ts';

await run(async () => {
  const setting = await keySetting();
  const faults = await faultsOf(setting);
  for (const { entry, reason } of faults) {
    const where = entry === undefined ? '' : `entry ${entry} is ${reason}: `;
    process.stderr.write(`${where}${new KeyringError(reason).message}\n`);
  }
  if (faults.length > 0) return 1;
  const keyring = await parseKeyring(setting);
  say(`${keyring.byId.size} ${keyring.byId.size === 1 ? 'key' : 'keys'}: the first seals, all open.`);
  if (!process.env.DATABASE_URL?.trim()) {
    for (const id of keyring.byId.keys()) say(`${id}  ${id === keyring.primary.id ? 'primary' : 'open'}`);
    return 0;
  }
  const sql = connectAsOperator();
  try {
    const status = await keysStatus(sql, keyring);
    sayStatus(status);
    await sayWhoseAreMissing(sql, status);
    return status.unopenable > 0 ? 2 : 0;
  } finally {
    await sql.end({ timeout: 1 });
  }
});
