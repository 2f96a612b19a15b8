/** `/openapi.json` is the contract: it lists every route, and responses match it. */
import { describe, expect, it } from 'vitest';
import { createApp } from '../../src/app.ts';
import { PROBLEM_CODES } from '../../src/problem.ts';
import { call, settings } from '../support/api.ts';
import { newClientWithBot } from '../support/bots.ts';
import { operationOf, violations, violationsOf } from '../support/contract.ts';
import { emptyProject } from '../support/empty-project.ts';
import { description, NOT_DESCRIBED, operations, PUBLIC, runnerOperations } from '../support/operations.ts';
import { newAdmin } from '../support/people.ts';
import { expectProblem } from '../support/problems.ts';
import { bodyOf, lineTo } from '../support/requests.ts';
import { newClientWithRunner } from '../support/runners.ts';

const admin = await newAdmin();

describe('the description', () => {
  it('lists every route that exists, and no other', () => {
    const routes = createApp()
      .routes.filter(({ method, path }) => method !== 'ALL' && !NOT_DESCRIBED.includes(path))
      .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`);
    expect([...new Set(routes)].sort()).toEqual(operations.map(({ line }) => line).sort());
  });

  it('has for each operation the caller, the responses, and problems as the default response', () => {
    expect(description.openapi).toBe('3.1.0');
    for (const { line, security, responses } of operations) {
      const runners = runnerOperations.some((operation) => operation.line === line);
      const asked = runners ? ['machine_token'] : ['session'];
      expect([line, security.flatMap(Object.keys)]).toEqual([line, PUBLIC.includes(line) ? [] : asked]);
      expect(Object.keys(responses)).toContain('default');
      expect(Object.keys(responses).some((status) => status.startsWith('2'))).toBe(true);
    }
    expect(Object.keys(description.components.securitySchemes)).toEqual(['session', 'machine_token']);
    expect(runnerOperations.map(({ line }) => line).sort()).toEqual([
      'GET /runner/bots',
      'GET /runner/bots/{id}',
      'POST /bots/{id}/heartbeat',
      'POST /bots/{id}/rpc',
      'POST /bots/{id}/sign',
    ]);
  });

  it.each([404, 500])('whose file returns %d -> 500', async (status) => {
    const ASSETS = { fetch: async () => new Response('{"openapi": "of another"}', { status }) };
    const answer = await call('GET /openapi.json', { env: { ...settings(), ASSETS } });
    expectProblem(answer, 500, 'internal_error');
  });

  it('lists every code that a problem can have', () => {
    const { Problem, ProblemCode } = description.components.schemas;
    expect(Problem?.properties?.code).toEqual({ $ref: '#/components/schemas/ProblemCode' });
    expect(ProblemCode?.enum).toEqual(PROBLEM_CODES);
  });

  it('rejects unknown fields in every request body', () => {
    const requests = Object.entries(description.components.schemas).filter(([name]) =>
      name.endsWith('Request'),
    );
    expect(requests.length).toBeGreaterThanOrEqual(5);
    for (const [name, schema] of requests) {
      for (const one of schema.oneOf ?? schema.anyOf ?? [schema]) {
        expect([name, one.additionalProperties]).toEqual([name, false]);
      }
    }
  });

  it('has no secret request field in a response', () => {
    const taking = Object.entries(description.components.schemas).filter(([, { properties = {} }]) =>
      Object.keys(properties).some(
        // tokens_ended contains ids of tokens.
        (name) => /private|secret|encrypted|token/.test(name) && name !== 'tokens_ended',
      ),
    );
    expect(taking.map(([name]) => name).every((name) => name.endsWith('Request'))).toBe(true);
    for (const { responses } of operations) {
      expect(JSON.stringify(responses)).not.toMatch(/Request|PrivateKey/);
    }
  });
});

describe('the check of responses against it', () => {
  const answer = (json: unknown, status = 200, type = 'application/json') => ({
    status,
    json,
    text: '{}',
    headers: new Headers({ 'content-type': type }),
  });
  it.each([
    ['another type of content', answer({ status: 'ok' }, 200, 'text/html')],
    ['a value outside the enum', answer({ status: 'fine' })],
    ['a missing member', answer({})],
    ['an additional member', answer({ status: 'ok', private_key: 'x' })],
    ['a success body with an error status', answer({ status: 'ok' }, 500)],
  ])('finds %s', (_, wrong) => {
    expect(violationsOf('GET /health', answer({ status: 'ok' }))).toEqual([]);
    expect(violationsOf('GET /health', wrong)).not.toEqual([]);
  });

  it('finds wrong ids, times and types in nested values', async () => {
    const client = await newClientWithBot();
    const { json } = await call(`GET /bots/${client.botId}`, { token: client.token });
    const bot = { $ref: '#/components/schemas/Bot' };
    expect(violations(json, bot, '')).toEqual([]);
    for (const wrong of [
      { id: 'x' },
      { created_at: '2026-11-22 22:00' },
      { name: 1 },
      { wallets: [{ ...json.wallets[0], key: 'none' }] },
    ]) {
      expect(violations({ ...json, ...wrong }, bot, '')).toHaveLength(1);
    }
  });

  it('distinguishes operations', () => {
    expect(operationOf('GET /clients/me')?.line).toBe('GET /clients/me');
    expect(operationOf('GET /clients/x?limit=1')?.line).toBe('GET /clients/{id}');
    expect(operationOf('GET /clients/x/y')).toBeUndefined();
  });
});

it('every operation responds as described when it succeeds', async () => {
  const client = await newClientWithRunner();
  const isRunners = (line: string) => runnerOperations.some((operation) => operation.line === line);
  const last = ({ line }: { line: string }) => line.startsWith('DELETE');
  for (const { line } of [...operations].sort((one, other) => Number(last(one)) - Number(last(other)))) {
    // For this client an earlier operation set a policy that rejects the signature, and ended the token.
    const isForAnother = ['POST /bots/{id}/sign', 'POST /bots/{id}/rpc', 'DELETE /tokens/{id}'].includes(
      line,
    );
    const about = isForAnother ? await newClientWithRunner() : client;
    const own = line === 'GET /clients/me' ? about.token : admin.token;
    const answer = await call(lineTo(line, about), {
      token: isRunners(line) ? about.machineToken : own,
      body: bodyOf(line, about),
      ...(line === 'GET /ready' && { env: await emptyProject() }),
    });
    const creates = line.startsWith('POST') && !/(start|stop|sign|rpc|heartbeat)$/.test(line);
    expect([line, answer.status]).toEqual([line, creates ? 201 : 200]);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  }
});
