import { expect, it } from 'vitest';
import { Problem, type ProblemCode } from '../../src/problem.ts';
import { checkReadiness, SCHEMA_VERSION } from '../../src/services/readiness.ts';

const well = {
  schemaVersion: async () => SCHEMA_VERSION,
  keyring: async () => ({ byId: new Map() }),
  countUnopenable: async () => 0,
  edgeToken: async () => {},
  tokenVerification: async () => {},
  stepUpAgrees: async () => true,
  monitor: () => {},
  rpcSettings: () => {},
  auditKeys: async () => ({ signing: { kid: 'x', key: {} as CryptoKey } }),
};
const fails = (code: ProblemCode) => () => Promise.reject(new Problem(code));
const ok = { status: 'ok' };
const allOk = {
  database: ok,
  schema: ok,
  master_key: ok,
  edge_token: ok,
  token_verification: ok,
  step_up: ok,
  monitor: ok,
  rpc_settings: ok,
  audit_key: ok,
};
const failing = (code: ProblemCode) => ({ status: 'failing', code, detail: expect.any(String) });

it('is ready if every check passes, also with a newer schema', async () => {
  expect(await checkReadiness(well)).toEqual({ status: 'ready', dependencies: allOk });
  const newer = { ...well, schemaVersion: async () => SCHEMA_VERSION + 1 };
  expect((await checkReadiness(newer)).status).toBe('ready');
});

it.each([
  [
    'an older schema',
    { schemaVersion: async () => SCHEMA_VERSION - 1 },
    { schema: failing('database_not_migrated') },
  ],
  [
    'no schema',
    { schemaVersion: fails('database_not_migrated') },
    { schema: failing('database_not_migrated') },
  ],
  [
    'no database',
    { schemaVersion: fails('database_unavailable') },
    { database: failing('database_unavailable'), schema: failing('database_unavailable') },
  ],
  [
    'a rejected API key',
    { schemaVersion: fails('publishable_key_rejected') },
    { database: failing('publishable_key_rejected'), schema: failing('publishable_key_rejected') },
  ],
  [
    'malformed settings of the sign-in',
    { stepUpAgrees: fails('step_up_settings_malformed') },
    { step_up: failing('step_up_settings_malformed') },
  ],
  ['no master key', { keyring: fails('master_key_missing') }, { master_key: failing('master_key_missing') }],
  [
    'a missing master key',
    { countUnopenable: async () => 7 },
    { master_key: { ...failing('master_keys_incomplete'), unopenable_envelopes: 7 } },
  ],
  [
    'missing master keys, all of them',
    { countUnopenable: async () => null },
    { master_key: { ...failing('master_keys_incomplete'), unopenable_envelopes: 'all' } },
  ],
  [
    'a database that fails while it counts',
    { countUnopenable: fails('database_unavailable') },
    { database: failing('database_unavailable'), schema: failing('database_unavailable') },
  ],
  [
    'a schema without the function that counts',
    { countUnopenable: fails('database_not_migrated') },
    { schema: failing('database_not_migrated') },
  ],
  [
    'no edge token',
    { edgeToken: fails('edge_token_missing') },
    { edge_token: failing('edge_token_missing') },
  ],
  [
    'an edge token that the database rejects',
    { edgeToken: fails('edge_token_invalid') },
    { edge_token: failing('edge_token_invalid') },
  ],
  [
    'no signing keys',
    { tokenVerification: fails('auth_unavailable') },
    { token_verification: failing('auth_unavailable') },
  ],
  [
    'another sign-in required by the database',
    { stepUpAgrees: async () => false },
    { step_up: failing('step_up_settings_mismatch') },
  ],
  [
    'an unexpected error',
    { keyring: () => Promise.reject(new Error('x')) },
    { master_key: failing('internal_error') },
  ],
  [
    'an error thrown at once',
    {
      schemaVersion: () => {
        throw new Problem('database_not_configured');
      },
    },
    { database: failing('database_not_configured'), schema: failing('database_not_configured') },
  ],
])('names %s and nothing else', async (_, probes, expected) => {
  expect(await checkReadiness({ ...well, ...probes })).toEqual({
    status: 'degraded',
    dependencies: { ...allOk, ...expected },
  });
});

it('does not count envelopes with an older schema', async () => {
  const older = { schemaVersion: async () => SCHEMA_VERSION - 1, countUnopenable: async () => 7 };
  expect(await checkReadiness({ ...well, ...older })).toEqual({
    status: 'degraded',
    dependencies: { ...allOk, schema: failing('database_not_migrated') },
  });
});

it.each([
  ['no audit key', { auditKeys: async () => ({ signing: undefined }) }, 'audit_key_missing'],
  ['a malformed audit key', { auditKeys: fails('audit_key_malformed') }, 'audit_key_malformed'],
] as const)('names %s, and is ready', async (_, probe, code) => {
  expect(await checkReadiness({ ...well, ...probe })).toEqual({
    status: 'ready',
    dependencies: { ...allOk, audit_key: failing(code) },
  });
});

it('is ready without the monitor, and names the missing setting', async () => {
  const monitor = () => {
    throw new Problem('monitor_token_missing');
  };
  expect(await checkReadiness({ ...well, monitor })).toEqual({
    status: 'ready',
    dependencies: { ...allOk, monitor: failing('monitor_token_missing') },
  });
});

it('is ready with malformed settings of JSON-RPC, and names them', async () => {
  const rpcSettings = () => {
    throw new Problem('rpc_settings_malformed');
  };
  expect(await checkReadiness({ ...well, rpcSettings })).toEqual({
    status: 'ready',
    dependencies: { ...allOk, rpc_settings: failing('rpc_settings_malformed') },
  });
});
