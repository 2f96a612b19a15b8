/**
 * `npm run operator:token -- --scope edge`: issues a machine token for the Worker, and prints it once. Standard output has
 * the token alone, so that it can be piped to where it is kept:
 *
 *     npm run --silent operator:token -- --scope edge | npx wrangler secret put EDGE_TOKEN
 */
import { parseArgs } from 'node:util';
import { connectAsOperator } from './connect.ts';
import { issueToken, type NewCronToken } from './tokens.ts';

const USAGE = `npm run operator:token -- --scope edge [--name N] [--expires-in 90d]
npm run operator:token -- --scope monitor [--name N] [--expires-in 90d]
npm run operator:token -- --scope rewrap --master-key-id ID [--name N] [--expires-in 7d]

--expires-in takes minutes, hours or days: 30m, 12h, 90d. A token for rewrapping ends after 7 days at most.`;

const SECONDS = { m: 60, h: 3_600, d: 86_400 };
const DAY = SECONDS.d;
const SETTINGS = { edge: 'EDGE_TOKEN', monitor: 'MONITOR_TOKEN', rewrap: 'REWRAP_TOKEN' } as const;
const NAMES = { edge: 'The edge', monitor: 'The health monitor' } as const;

const say = (line: string) => process.stderr.write(`${line}\n`);

try {
  await main(read(process.argv.slice(2)));
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}

async function main(wanted: NewCronToken): Promise<void> {
  const sql = connectAsOperator();
  try {
    const { id, token, expiresAt } = await issueToken(sql, wanted);
    const setting = SETTINGS[wanted.scope];
    say(`Token ${id}, ${expiresAt ? `until ${expiresAt.toISOString()}` : 'until it is revoked'}.`);
    say(`It is shown this once. Set it as ${setting}; DELETE /tokens/${id} by an admin ends it.`);
    process.stdout.write(`${token}\n`);
  } finally {
    await sql.end();
  }
}

function read(args: string[]): NewCronToken {
  const options = {
    scope: { type: 'string' },
    name: { type: 'string' },
    'expires-in': { type: 'string' },
    'master-key-id': { type: 'string' },
  } as const;
  const { scope, name, 'expires-in': expiresIn, 'master-key-id': masterKeyId } = parse(args, options);
  const expiresInSeconds = expiresIn === undefined ? undefined : secondsOf(expiresIn);
  if (name !== undefined && !(name.trim() && name.length <= 200)) refuse('--name has 1 to 200 characters.');
  if (scope === 'edge' || scope === 'monitor') {
    if (masterKeyId !== undefined) refuse('--master-key-id is for --scope rewrap.');
    return { scope, name: name ?? NAMES[scope], expiresInSeconds };
  }
  if (scope !== 'rewrap') refuse('--scope is edge, monitor or rewrap.');
  if (!/^[\w-]{1,64}$/.test(masterKeyId ?? '')) {
    refuse('--master-key-id names the new master key, as GET /clients/{id}/trading-key shows it.');
  }
  if ((expiresInSeconds ?? 0) > 7 * DAY) refuse('A token for rewrapping ends after 7 days at most.');
  return {
    scope,
    name: name ?? 'Rewrapping to a new master key',
    expiresInSeconds: expiresInSeconds ?? 7 * DAY,
    masterKeyId,
  };
}

function parse<Options extends NonNullable<Parameters<typeof parseArgs>[0]>['options']>(
  args: string[],
  options: Options & {},
) {
  try {
    return parseArgs({ args, options }).values;
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
}

function secondsOf(text: string): number {
  const [, count = '', unit = ''] = /^(\d{1,5})([mhd])$/.exec(text) ?? [];
  const seconds = Number(count) * (SECONDS[unit as keyof typeof SECONDS] ?? 0);
  return seconds > 0 ? seconds : refuse(`Not a time: ${text}`);
}

function refuse(why: string): never {
  throw new Error(`${why}\n\n${USAGE}`);
}
