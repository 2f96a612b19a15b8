/** A chain is signed only if it agrees with its last checkpoint: the edge does not trust the database to have kept it. */
import { expect, it } from 'vitest';
import { openCheckpoint, parseAuditKeys, signHead } from '../../src/crypto/audit-key.ts';
import type { UnsignedHead } from '../../src/database/as-auditor.ts';
import { signCheckpoint } from '../../src/services/checkpoints.ts';

const newSeed = () => btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32))));
const keys = parseAuditKeys(newSeed(), undefined);
const others = parseAuditKeys(newSeed(), undefined);
const ISS = 'https://project.test';
const NOW = Date.UTC(2026, 10, 23, 9);
const client_id = crypto.randomUUID();
const [before, after] = ['ab'.repeat(32), 'cd'.repeat(32)];

/** A head at row 7, whose last checkpoint is for row 5 as its signer saw it. */
async function head(signed: object = {}, signedBy = keys): Promise<UnsignedHead> {
  const said = { iss: ISS, client_id, seq: 5, hash: before, time: 'yesterday', ...signed };
  return {
    client_id,
    seq: 7,
    hash: after,
    last: { jws: await signHead(await signedBy, said), seq: 5, hash: before },
  };
}
const sign = async (unsigned: UnsignedHead) => signCheckpoint(unsigned, await keys, ISS, NOW);
const said = { iss: ISS, client_id, seq: 7, hash: after, time: '2026-11-23T09:00:00.000Z' };

it('signs the head of a chain that agrees with its last checkpoint, or that has no checkpoint', async () => {
  for (const unsigned of [await head(), { ...(await head()), last: null }]) {
    expect(await openCheckpoint(await keys, (await sign(unsigned)) ?? '')).toEqual(said);
  }
});

it.each<[string, () => Promise<UnsignedHead>]>([
  ["is another client's", () => head({ client_id: crypto.randomUUID() })],
  ['names another row than the row it is stored at', () => head({ seq: 4 })],
  ['has another hash than the row has now', () => head({ hash: after })],
  ['was signed by a key that is not listed', () => head({}, others)],
  ['is stored at a row that is gone', async () => withLast(await head(), { hash: null })],
  ['is stored at the head', async () => ({ ...(await head()), seq: 5, hash: before })],
  ['is stored after the head', async () => ({ ...(await head()), seq: 4, hash: after })],
  ['is malformed', async () => withLast(await head(), { jws: 'x' })],
])('signs nothing if the last checkpoint %s', async (_, unsigned) => {
  expect(await sign(await unsigned())).toBeUndefined();
});

function withLast(unsigned: UnsignedHead, change: object): UnsignedHead {
  return { ...unsigned, last: unsigned.last && { ...unsigned.last, ...change } };
}
