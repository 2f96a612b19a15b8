/** What the description says about every operation, for readers and for code generators. */
import type { RouteConfig, z } from '@hono/zod-openapi';
import { describe, expect, it } from 'vitest';
import { createApp } from '../../src/app.ts';
import { REFERENCE } from '../../src/openapi/reference/index.ts';
import { isProblemCode, PROBLEM_CODES, Problem } from '../../src/problem.ts';
import { violations } from '../support/contract.ts';
import { description, operations, PUBLIC } from '../support/operations.ts';
import { BODIES, bodyOf } from '../support/requests.ts';

type Media = Readonly<Record<string, { readonly schema: z.ZodType }>>;

/** The schemas that the routes themselves validate with. */
const schemas = new Map(
  createApp().openAPIRegistry.definitions.flatMap((definition) => {
    if (definition.type !== 'route') return [];
    const { operationId = '', request, responses } = definition.route as RouteConfig;
    const body = (request?.body?.content as Media | undefined)?.['application/json']?.schema;
    return [[operationId, { body, responses: responses as Record<string, { content: Media }> }] as const];
  }),
);

const statusOf = (code: string) => (isProblemCode(code) ? new Problem(code).status : 0);

describe('the description', () => {
  it('names its license, a server and the purpose of each tag', () => {
    expect(description.info.license?.name).toBe('MIT');
    expect(description.servers).toHaveLength(1);
    const used = new Set(operations.flatMap(({ tags }) => tags));
    expect(description.tags.map(({ name }) => name).sort()).toEqual([...used].sort());
    for (const { description: text } of description.tags) expect(text).toMatch(/\.$/);
  });

  it('has each operation for which the tests have a valid request', () => {
    expect(Object.keys(BODIES).sort()).toEqual(operations.map(({ line }) => line).sort());
  });

  it('describes no operation that does not exist', () => {
    expect(Object.keys(REFERENCE).sort()).toEqual(operations.map(({ operationId }) => operationId).sort());
  });

  it('lists each problem code for some operation, except the codes that no operation of the API has', () => {
    const listed = new Set(
      operations.flatMap(({ responses }) =>
        Object.values(responses).flatMap((response) => response['x-problem-codes'] ?? []),
      ),
    );
    const unlisted = PROBLEM_CODES.filter((code) => !listed.has(code));
    expect(new Set<string>(unlisted)).toEqual(
      new Set([
        // In the data of an error of JSON-RPC.
        'rpc_request_invalid',
        'rpc_batch_too_large',
        'rpc_method_unknown',
        'rpc_params_invalid',
        'rpc_chain_unknown',
        'rpc_chain_mismatch',
        'rpc_fees_required',
        'rpc_fee_cap_exceeded',
        'rpc_node_missing',
        'rpc_node_unavailable',
        'rpc_node_response_invalid',
        'rpc_transaction_unconfirmed',
        // There, and in `GET /ready`.
        'rpc_settings_malformed',
        // Only for sessions that write at the REST API of the database.
        'envelope_write_denied',
        // A path without the method: no operation.
        'route_not_found',
        // GET /.well-known/security.txt is not in the description.
        'security_contact_missing',
        'method_not_allowed',
        'envelope_row_mismatch',
        'row_limit_exceeded',
        // In `GET /ready`, as codes of a dependency.
        'audit_key_missing',
        'master_keys_incomplete',
        'monitor_token_malformed',
        'monitor_token_missing',
        'rewrap_token_mismatch',
        'step_up_settings_mismatch',
      ]),
    );
  });
});

describe.each(operations)('$line', (operation) => {
  const { operationId, tags, summary, responses, requestBody, security } = operation;
  const route = schemas.get(operationId);
  const codesBy = Object.entries(responses).map(
    ([status, response]) => [status, response['x-problem-codes']] as const,
  );
  const codes = codesBy.flatMap(([, own]) => own ?? []);

  it('has an operationId of its own, one tag and a summary', () => {
    expect(operationId).toMatch(/^[a-z]+([A-Z][a-z]+)*$/);
    expect(operations.filter((other) => other.operationId === operationId)).toHaveLength(1);
    expect(tags).toHaveLength(1);
    expect(summary).toMatch(/^[A-Z].*[^.]$/);
  });

  it('lists its problem codes under their statuses, each once', () => {
    expect(codes.length).toBeGreaterThan(0);
    expect(new Set(codes).size).toBe(codes.length);
    for (const [status, own = []] of codesBy) {
      expect(own.map(statusOf)).toEqual(own.map(() => Number(status)));
    }
    expect(codes).toContain('internal_error');
  });

  it('lists the codes that follow from who may call it', () => {
    const isPublic = PUBLIC.includes(operation.line);
    expect(codes.includes('authentication_required')).toBe(!isPublic);
    expect(codes.includes('oauth_token_rejected')).toBe(security.some(({ session }) => session));
    expect(codes.includes('second_factor_required')).toBe(
      security.some(({ session }) => session?.includes('key_change')),
    );
    expect(codes.includes('media_type_unsupported')).toBe(operation.takesBody);
    expect(codes.includes('rate_limited')).toBe(operation.line !== 'GET /health');
  });

  it('has a valid request in the table of the tests, with a body that its own schema accepts if it takes one', () => {
    const body = bodyOf(operation.line);
    expect(body !== undefined).toBe(operation.takesBody);
    expect(route?.body?.safeParse(body).error?.issues ?? []).toEqual([]);
  });

  it.runIf(requestBody)('has an example of its body that its own schema accepts', () => {
    const example = requestBody?.content['application/json']?.example;
    expect(example).toBeDefined();
    expect(route?.body?.safeParse(example).error?.issues ?? []).toEqual([]);
  });

  const succeeded = Object.keys(responses).filter(
    (status) => responses[status]?.content?.['application/json'],
  );
  it.each(succeeded)(
    'has an example of %s that its own schema accepts, with every required field',
    (status) => {
      const { schema, example } = responses[status]?.content?.['application/json'] ?? {};
      expect(example).toBeDefined();
      expect(violations(example, schema ?? {}, '')).toEqual([]);
      const own = route?.responses[status]?.content['application/json']?.schema;
      expect(own?.safeParse(example).error?.issues ?? []).toEqual([]);
      // Nothing that the schema does not have.
      expect(own?.parse(example)).toEqual(example);
    },
  );
});
