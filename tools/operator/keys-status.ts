/** `npm run keys:status`: prints how many envelopes each master key has sealed. See the usage text. */
import { parseKeyring } from '../../src/crypto/keyring.ts';
import { print, runCommand } from './command.ts';
import { connectAsOperator, LOCAL, WHICH_DATABASE } from './connect.ts';
import { keysStatus, printClientsOfMissingKeys, printStatus } from './key-status.ts';

const usage = `Usage: npm run keys:status -- [--local] [--json]

Counts the envelopes that each master key sealed, in one snapshot, and prints whether the key is in ENCRYPTION_KEY
(from the environment). Without ENCRYPTION_KEY the command cannot know this: the role is "unknown".

  --json     prints JSON
${WHICH_DATABASE}

Exit codes: 0 no master key is missing, or ENCRYPTION_KEY is not set; 1 the command failed; 2 master keys are missing, or
an option is wrong.`;

await runCommand(
  { usage, options: { json: { type: 'boolean', default: false }, local: LOCAL } },
  async (values) => {
    const setting = process.env.ENCRYPTION_KEY;
    const keyring = setting?.trim() ? await parseKeyring(setting) : undefined;
    const sql = await connectAsOperator(values);
    try {
      const status = await keysStatus(sql, keyring);
      if (values.json) print(JSON.stringify(status, null, 2));
      else {
        printStatus(status);
        await printClientsOfMissingKeys(sql, status);
      }
      return status.unopenable ? 2 : 0;
    } finally {
      await sql.end({ timeout: 1 });
    }
  },
);
