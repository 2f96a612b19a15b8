/** `npm run keys:check`: reads ENCRYPTION_KEY as the Worker does. See the usage text. */
import { KeyringError, parseKeyring } from '../../src/crypto/keyring.ts';
import { print, printNote, runCommand } from './command.ts';
import { connectAsOperator, isDatabaseNamed, LOCAL, WHICH_DATABASE } from './connect.ts';
import { faultsOf, keySetting } from './key-setting.ts';
import { keysStatus, printClientsOfMissingKeys, printStatus } from './key-status.ts';

const usage = `Usage: npm run keys:check -- [--local]

Reads ENCRYPTION_KEY from the environment or from standard input, and prints the ids of its master keys, or its faults. If
a database is named, the command also counts the envelopes that each master key opens.

${WHICH_DATABASE}

Exit codes: 0 all is well; 1 the list is wrong, or the database does not respond; 2 no key in the list opens some of the
envelopes, or an option is wrong.`;

await runCommand({ usage, options: { local: LOCAL } }, async (values) => {
  const setting = await keySetting();
  const faults = await faultsOf(setting);
  for (const { entry, reason } of faults) {
    const where = entry === undefined ? '' : `entry ${entry} is ${reason}: `;
    printNote(`${where}${new KeyringError(reason).message}`);
  }
  if (faults.length > 0) return 1;
  const keyring = await parseKeyring(setting);
  print(`${keyring.byId.size} ${keyring.byId.size === 1 ? 'key' : 'keys'}: the first seals, all open.`);
  if (!isDatabaseNamed(values)) {
    for (const id of keyring.byId.keys()) print(`${id}  ${id === keyring.primary.id ? 'primary' : 'open'}`);
    return 0;
  }
  const sql = await connectAsOperator(values);
  try {
    const status = await keysStatus(sql, keyring);
    printStatus(status);
    await printClientsOfMissingKeys(sql, status);
    return status.unopenable ? 2 : 0;
  } finally {
    await sql.end({ timeout: 1 });
  }
});
