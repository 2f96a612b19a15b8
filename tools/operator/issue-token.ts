/**
 * `npm run operator:token -- --scope edge`: issues a machine token for the Worker, and prints it once. Standard output
 * contains only the token, so that it can be piped to its destination:
 *
 *     npm run --silent operator:token -- --scope edge | npx wrangler secret put EDGE_TOKEN
 */
import { print, printNote, runCommand, type Values } from './command.ts';
import { connectAsOperator, LOCAL, WHICH_DATABASE } from './connect.ts';
import { UsageError } from './failure.ts';
import { issueToken, type NewCronToken } from './tokens.ts';

const usage = `Usage: npm run operator:token -- --scope edge [--name N] [--expires-in 90d] [--local]
       npm run operator:token -- --scope monitor [--name N] [--expires-in 90d] [--local]
       npm run operator:token -- --scope rewrap --master-key-id ID [--name N] [--expires-in 7d] [--local]

Issues a machine token for the Worker or for cron jobs, and prints it once.

  --scope S            edge, monitor or rewrap
  --name N             the name in lists, 1 to 200 characters
  --expires-in T       minutes, hours or days: 30m, 12h, 90d. A token of the scope rewrap expires after at most 7 days
  --master-key-id ID   for rewrap: the id of the new master key
${WHICH_DATABASE}`;

const options = {
  scope: { type: 'string' },
  name: { type: 'string' },
  'expires-in': { type: 'string' },
  'master-key-id': { type: 'string' },
  local: LOCAL,
} as const;

const SECONDS = { m: 60, h: 3_600, d: 86_400 };
const DAY = SECONDS.d;
const SETTINGS = { edge: 'EDGE_TOKEN', monitor: 'MONITOR_TOKEN', rewrap: 'REWRAP_TOKEN' } as const;
const NAMES = { edge: 'The edge', monitor: 'The health monitor' } as const;

await runCommand({ usage, options }, async (values) => {
  const wanted = read(values);
  const sql = await connectAsOperator(values);
  try {
    const { id, token, expiresAt } = await issueToken(sql, wanted);
    const setting = SETTINGS[wanted.scope];
    printNote(`Token ${id}, ${expiresAt ? `until ${expiresAt.toISOString()}` : 'until it is revoked'}.`);
    printNote(
      `It is shown only once. Set it as ${setting}. To revoke it, call DELETE /tokens/${id} as an admin.`,
    );
    print(token);
    return 0;
  } finally {
    await sql.end();
  }
});

function read(values: Values<typeof options>): NewCronToken {
  const { scope, name, 'expires-in': expiresIn, 'master-key-id': masterKeyId } = values;
  const expiresInSeconds = expiresIn === undefined ? undefined : secondsOf(expiresIn);
  if (name !== undefined && !(name.trim() && name.length <= 200)) reject('--name takes 1 to 200 characters.');
  if (scope === 'edge' || scope === 'monitor') {
    if (masterKeyId !== undefined) reject('--master-key-id is only for --scope rewrap.');
    return { scope, name: name ?? NAMES[scope], expiresInSeconds };
  }
  if (scope !== 'rewrap') reject('--scope takes edge, monitor or rewrap.');
  if (!/^[\w-]{1,64}$/.test(masterKeyId ?? '')) {
    reject(
      '--master-key-id takes the id of the new master key, as GET /clients/{id}/trading-key returns it.',
    );
  }
  if ((expiresInSeconds ?? 0) > 7 * DAY)
    reject('A token of the scope rewrap can be valid for at most 7 days.');
  return {
    scope,
    name: name ?? 'Rewrapping to a new master key',
    expiresInSeconds: expiresInSeconds ?? 7 * DAY,
    masterKeyId,
  };
}

function secondsOf(text: string): number {
  const [, count = '', unit = ''] = /^(\d{1,5})([mhd])$/.exec(text) ?? [];
  const seconds = Number(count) * (SECONDS[unit as keyof typeof SECONDS] ?? 0);
  return seconds > 0 ? seconds : reject('--expires-in takes minutes, hours or days: 30m, 12h, 90d.');
}

function reject(why: string): never {
  throw new UsageError(why);
}
