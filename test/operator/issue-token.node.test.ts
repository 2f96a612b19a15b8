/** `npm run operator:token`, as an operator runs it. */
import { spawn } from 'node:child_process';
import postgres from 'postgres';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { hashOfMachineToken, isMachineToken } from '../../src/machine-token.ts';

const sql = postgres(inject('databaseUrl'), { max: 1, onnotice: () => {} });
afterAll(() => sql.end());

interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function run(args: string[], env: Record<string, string> = { DATABASE_URL: inject('databaseUrl') }) {
  const child = spawn(process.execPath, ['tools/operator/issue-token.ts', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH ?? '', ...env },
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk) => (out += chunk));
  child.stderr.on('data', (chunk) => (err += chunk));
  return new Promise<Outcome>((resolve) => child.once('close', (code) => resolve({ code, out, err })));
}

async function rowOf(token: string) {
  const [row] = await sql`
    select id, scope, name, master_key_id, client_id, created_by,
      round(extract(epoch from expires_at - created_at))::int as seconds
    from public.machine_tokens where token_hash = decode(${hashOfMachineToken(token)}, 'hex')`;
  return row;
}

const NOBODYS = { client_id: null, created_by: null };

describe('npm run operator:token', () => {
  it.each<[string[], object]>([
    [['--scope', 'monitor'], { name: 'The health monitor', master_key_id: null, seconds: null }],
    [
      ['--scope', 'monitor', '--name', 'In Frankfurt', '--expires-in', '90d'],
      { name: 'In Frankfurt', seconds: 90 * 86_400 },
    ],
    [['--scope', 'monitor', '--expires-in', '30m'], { seconds: 1_800 }],
    [['--scope', 'edge'], { scope: 'edge', name: 'The edge', master_key_id: null, seconds: null }],
    [
      ['--scope', 'edge', '--name', 'In Frankfurt', '--expires-in', '90d'],
      { scope: 'edge', name: 'In Frankfurt', seconds: 90 * 86_400 },
    ],
    [
      ['--scope', 'rewrap', '--master-key-id', 'new-one_1'],
      { scope: 'rewrap', master_key_id: 'new-one_1', seconds: 7 * 86_400 },
    ],
    [
      ['--scope', 'rewrap', '--master-key-id', 'x', '--expires-in', '12h'],
      { scope: 'rewrap', master_key_id: 'x', seconds: 43_200 },
    ],
  ])('%j -> the token alone on standard output, its hash in the database', async (args, expected) => {
    const { code, out, err } = await run(args);
    expect(code).toBe(0);
    const token = out.trim();
    expect(out).toBe(`${token}\n`);
    expect(isMachineToken(token)).toBe(true);
    const row = await rowOf(token);
    expect(row).toMatchObject({ scope: 'monitor', ...NOBODYS, ...expected });
    expect(err).toContain(row?.id);
    expect(err).not.toContain(token);
    const [{ found } = { found: -1 }] = await sql`
      select count(*)::int as found from public.machine_tokens as t where t::text like ${`%${token}%`}`;
    expect(found).toBe(0);
  });

  it('of the scope edge is accepted from the Worker beside the earlier one, and the command names its setting', async () => {
    const { out, err } = await run(['--scope', 'edge']);
    expect(err).toContain('EDGE_TOKEN');
    for (const token of [out.trim(), inject('edgeToken')]) {
      const [row] = await sql`select public.edge_token_valid(${token}) as valid`;
      expect(row?.valid).toBe(true);
    }
    const [other] = await sql`select public.edge_token_valid(${hashOfMachineToken(out.trim())}) as valid`;
    expect(other?.valid).toBe(false);
  });

  it.each<[string[]]>([
    [[]],
    [['--scope', 'bots']],
    [['--scope', 'monitor', '--master-key-id', 'x']],
    [['--scope', 'edge', '--master-key-id', 'x']],
    [['--scope', 'monitor', '--name', ' ']],
    [['--scope', 'monitor', '--expires-in', '90']],
    [['--scope', 'monitor', '--expires-in', '0d']],
    [['--scope', 'monitor', '--expires-in', '1y']],
    [['--scope', 'monitor', '--forever']],
    [['monitor']],
    [['--scope', 'rewrap']],
    [['--scope', 'rewrap', '--master-key-id', 'a b']],
    [['--scope', 'rewrap', '--master-key-id', 'x', '--expires-in', '8d']],
  ])('%j -> rejected with the usage, and no token', async (args) => {
    const count = async () => (await sql`select id from public.machine_tokens where scope <> 'bots'`).length;
    const [before, { code, out, err }] = [await count(), await run(args)];
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain('npm run operator:token -- --scope monitor');
    expect(err).not.toMatch(/^\s+at /m);
    expect(await count()).toBe(before);
  });

  it.each<[string, Record<string, string>, string]>([
    ['no database is given', { HOME: '/nowhere' }, 'DATABASE_URL'],
    ['nobody listens', { DATABASE_URL: 'postgresql://postgres:x@127.0.0.1:9/postgres' }, 'ECONNREFUSED'],
  ])('where %s -> says so, in a line', async (_, env, word) => {
    const { code, out, err } = await run(['--scope', 'monitor'], env);
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain(word);
  });
});
