/**
 * Which texts the database accepts as an envelope. The check is optimised for speed. It is compared with the slow check that
 * it replaced, which parses the header as JSON, and with the edge, which opens the envelopes that the database accepts.
 */
import fc from 'fast-check';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { seal } from '../../src/crypto/envelope.ts';
import { type Keyring, parseKeyring } from '../../src/crypto/keyring.ts';
import { changeOfEnvelope, changeOfRow, headerOf, ofHeader, type Row, row } from './wrong-envelopes.ts';

const sql = postgres(inject('databaseUrl'), { max: 1, onnotice: () => {} });
let connection: postgres.ReservedSql;
let keyring: Keyring;

const SLOW_CHECK = `
  create function pg_temp.header(envelope text) returns jsonb language sql as $$
    select case when header is json object with unique keys then header::jsonb end
    from convert_from(
      decode(
        rpad(
          translate(split_part(envelope, '.', 1), '-_', '+/'),
          (length(split_part(envelope, '.', 1)) + 3) / 4 * 4, '='),
        'base64'),
      'UTF8') as header $$;
  create function pg_temp.names(envelope text, client_id uuid, chain text, address text, key_id uuid)
  returns boolean language plpgsql as $$
  begin
    return length(envelope) <= 2048 and key_id is not null and envelope ~ (
        '^[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]\\.[A-Za-z0-9_-]{16}'
        '\\.[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]\\.[A-Za-z0-9_-]{21}[AQgw]$')
      and coalesce(
        pg_temp.header(envelope) @> jsonb_build_object(
          'alg', 'A256GCMKW', 'enc', 'A256GCM', 'typ', 'trading-key+jwe',
          'sub', client_id, 'chain', chain, 'address', address, 'jti', key_id)
        and jsonb_typeof(pg_temp.header(envelope) -> 'kid') = 'string', false);
  exception when data_exception then
    return false; -- no base64url, no UTF-8 or no JSON
  end $$`;

beforeAll(async () => {
  connection = await sql.reserve();
  await connection.unsafe(SLOW_CHECK).simple();
  keyring = await parseKeyring(Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64'));
});
afterAll(async () => {
  connection.release();
  await sql.end({ timeout: 1 });
});

const sealFor = ({ client_id, chain, address, key_id }: Row) =>
  seal(
    crypto.getRandomValues(new Uint8Array(32)),
    { clientId: client_id, chain, address, keyId: key_id },
    keyring,
  );

/** The results of the fast and the slow check. Neither may raise an error: a trigger calls the fast one and raises its own. */
async function judge(envelope: string, { client_id, chain, address, key_id }: Row) {
  const [judgement] = await connection<[{ taken: boolean; by_slow_check: boolean }]>`
    select private.envelope_names(v.envelope, v.client_id, v.chain, v.address, v.key_id) as taken,
      pg_temp.names(v.envelope, v.client_id, v.chain, v.address, v.key_id) as by_slow_check
    from (values (${envelope}::text, ${client_id}::uuid, ${chain}::text, ${address}::text, ${key_id}::uuid))
      as v (envelope, client_id, chain, address, key_id)`;
  return judgement;
}

/** Whether the edge parses exactly this text as the envelope of this row. */
function isReadAs(envelope: string, { client_id, chain, address, key_id }: Row): boolean {
  const text = headerOf(envelope).toString();
  const { kid, iv, tag } = JSON.parse(text);
  const [alg, enc, typ] = ['A256GCMKW', 'A256GCM', 'trading-key+jwe'];
  const expected = {
    alg,
    enc,
    typ,
    kid: String(kid),
    sub: client_id,
    chain,
    address,
    jti: key_id,
  };
  return (
    JSON.stringify({ ...expected, iv, tag }) === text &&
    Buffer.from(iv, 'base64url').length === 12 &&
    Buffer.from(tag, 'base64url').toString('base64url') === tag &&
    Buffer.from(tag, 'base64url').length === 16
  );
}

describe('private.envelope_names', () => {
  it('accepts every envelope from seal() for its own row', async () => {
    await fc.assert(
      fc.asyncProperty(row, async (right) => {
        expect(await judge(await sealFor(right), right)).toEqual({ taken: true, by_slow_check: true });
      }),
      { numRuns: 500 },
    );
  });

  it('accepts no text that the slow check rejects or that the edge reads differently', async () => {
    const seen = { taken: 0, refused: 0, strict: 0 };
    await fc.assert(
      fc.asyncProperty(row, changeOfEnvelope, changeOfRow, async (right, change, changeRow) => {
        const envelope = change(await sealFor(right));
        const { taken, by_slow_check } = await judge(envelope, changeRow(right));
        expect(taken).toBeTypeOf('boolean');
        if (taken) expect([by_slow_check, isReadAs(envelope, changeRow(right))]).toEqual([true, true]);
        seen[taken ? 'taken' : by_slow_check ? 'strict' : 'refused'] += 1;
      }),
      { numRuns: 4000 },
    );
    // The property proves something only if each case has occurred often.
    expect(Math.min(seen.taken, seen.refused, seen.strict)).toBeGreaterThan(100);
  }, 120_000);

  it.each(['client_id', 'chain', 'address', 'key_id', 'envelope'])('is false for no %s', async (column) => {
    const right = { client_id: crypto.randomUUID(), chain: 'evm', address: 'A', key_id: crypto.randomUUID() };
    const of = { ...right, envelope: await sealFor(right), [column]: null };
    const [{ names } = { names: undefined }] = await connection`
      select private.envelope_names(${of.envelope}, ${of.client_id}::uuid, ${of.chain}, ${of.address},
        ${of.key_id}::uuid) as names`;
    expect(names).toBe(false);
  });

  it('rejects an otherwise valid envelope of more than 2048 characters', async () => {
    const right = { client_id: crypto.randomUUID(), chain: 'evm', key_id: crypto.randomUUID() };
    const judgementOf = async (length: number) => {
      const long = { ...right, address: 'A'.repeat(length) };
      return judge(await sealFor(long), long);
    };
    expect(await judgementOf(1000)).toEqual({ taken: true, by_slow_check: true });
    expect(await judgementOf(2000)).toEqual({ taken: false, by_slow_check: false });
  });

  it.each(['"', '\\', '\n', '","zip":"DEF'])(
    'rejects an address that is written as different JSON: %j',
    async (end) => {
      const right = {
        client_id: crypto.randomUUID(),
        chain: 'evm',
        address: 'A',
        key_id: crypto.randomUUID(),
      };
      const envelope = ofHeader((header) => header.replace('"A"', `"A${end}"`))(await sealFor(right));
      expect(await judge(envelope, { ...right, address: `A${end}` })).toEqual({
        taken: false,
        by_slow_check: false,
      });
    },
  );
});
