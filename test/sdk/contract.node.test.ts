/**
 * The SDK's types equal those of the API's schemas (checked by `tsc -p test`), and the SDK has every call. The types are
 * generated from the description of the API. This compares them with the schemas that the description is made from.
 */

import type { z } from '@hono/zod-openapi';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { createApp } from '../../src/app.ts';
import type * as audit from '../../src/contract/audit.ts';
import type * as health from '../../src/contract/bot-health.ts';
import type * as bots from '../../src/contract/bots.ts';
import type * as clients from '../../src/contract/clients.ts';
import type { PageQuery, ProblemBody } from '../../src/contract/common.ts';
import type * as service from '../../src/contract/health.ts';
import type * as keys from '../../src/contract/keys.ts';
import type * as policies from '../../src/contract/policies.ts';
import type * as runner from '../../src/contract/runner.ts';
import type * as signing from '../../src/contract/signing.ts';
import type * as tokens from '../../src/contract/tokens.ts';
import { describeApi } from '../../src/openapi/write-description.ts';
import type { ProblemCode } from '../../src/problem.ts';
import type * as sdk from '../../src/sdk/client.ts';
import { createClient } from '../../src/sdk/client.ts';
import type { Problem } from '../../src/sdk/openapi.ts';
import type { Call } from '../../src/sdk/transport.ts';
import type { SigningKind } from '../../src/signing/index.ts';

/** One call of the API, of which only the type counts. */
declare const call: Call;

describe('types', () => {
  test('of requests are the input types of the schemas', () => {
    expectTypeOf<sdk.ClientRequest>().toEqualTypeOf<z.input<typeof clients.ClientRequest>>();
    expectTypeOf<sdk.CreateBotRequest>().toEqualTypeOf<z.input<typeof bots.CreateBotRequest>>();
    expectTypeOf<sdk.SetupBotRequest>().toEqualTypeOf<z.input<typeof bots.SetupBotRequest>>();
    expectTypeOf<sdk.WalletRequest>().toEqualTypeOf<z.input<typeof keys.WalletRequest>>();
    expectTypeOf<sdk.KeyFields>().toEqualTypeOf<z.input<typeof keys.WalletRequest>>();
    expectTypeOf<sdk.PrivateKey>().toEqualTypeOf<z.input<typeof keys.PrivateKeyText>>();
    expectTypeOf<sdk.RotateRequest>().toEqualTypeOf<z.input<typeof keys.RotateRequest>>();
    expectTypeOf<sdk.IssueTokenRequest>().toEqualTypeOf<z.input<typeof tokens.IssueTokenRequest>>();
    expectTypeOf<sdk.PolicyRequest>().toEqualTypeOf<z.input<typeof policies.PolicyRequest>>();
    expectTypeOf<sdk.SignRequest>().toEqualTypeOf<z.input<typeof signing.SignRequest>>();
    expectTypeOf<sdk.HeartbeatRequest>().toEqualTypeOf<z.input<typeof runner.HeartbeatRequest>>();
    expectTypeOf<sdk.SeqPageQuery>().toExtend<z.input<typeof audit.SeqPageQuery>>();
    expectTypeOf<sdk.KeyEventQuery>().toExtend<z.input<typeof audit.KeyEventQuery>>();
    expectTypeOf<sdk.PageQuery>().toExtend<z.input<typeof PageQuery>>();
  });

  test('of responses are the output types of the schemas', () => {
    expectTypeOf<sdk.Client>().toEqualTypeOf<clients.Client>();
    expectTypeOf<sdk.Page<sdk.Client>>().toEqualTypeOf<clients.ClientPage>();
    expectTypeOf<sdk.Bot>().toEqualTypeOf<bots.Bot>();
    expectTypeOf<sdk.Page<sdk.BotSummary>>().toEqualTypeOf<bots.BotPage>();
    expectTypeOf<sdk.BotOptions>().toEqualTypeOf<bots.BotOptions>();
    expectTypeOf<sdk.Wallet>().toEqualTypeOf<keys.Wallet>();
    expectTypeOf<sdk.AddedWallet>().toEqualTypeOf<keys.AddedWallet>();
    expectTypeOf<sdk.TradingKey>().toEqualTypeOf<keys.TradingKey>();
    expectTypeOf<sdk.Rotation>().toEqualTypeOf<keys.Rotation>();
    expectTypeOf<sdk.Revocation>().toEqualTypeOf<keys.Revocation>();
    expectTypeOf<sdk.Token>().toEqualTypeOf<tokens.Token>();
    expectTypeOf<sdk.IssuedToken>().toEqualTypeOf<tokens.IssuedToken>();
    expectTypeOf<sdk.Page<sdk.Token>>().toEqualTypeOf<z.output<typeof tokens.TokenPage>>();
    expectTypeOf<sdk.Policy>().toEqualTypeOf<policies.Policy>();
    expectTypeOf<sdk.SignAnswer>().toEqualTypeOf<signing.SignAnswer>();
    expectTypeOf<sdk.Page<sdk.RunnerBotSummary>>().toEqualTypeOf<runner.RunnerBotPage>();
    expectTypeOf<sdk.RunnerBot>().toEqualTypeOf<runner.RunnerBot>();
    expectTypeOf<sdk.Heartbeat>().toEqualTypeOf<runner.Heartbeat>();
    expectTypeOf<sdk.KeyEventPage>().toEqualTypeOf<audit.KeyEventPage>();
    expectTypeOf<sdk.Page<sdk.Checkpoint>>().toEqualTypeOf<audit.CheckpointPage>();
    expectTypeOf<sdk.AuditKeys>().toEqualTypeOf<audit.AuditKeys>();
    expectTypeOf<sdk.KeysStatus>().toEqualTypeOf<keys.KeysStatus>();
    expectTypeOf<sdk.Health>().toEqualTypeOf<z.output<typeof service.Health>>();
    expectTypeOf<sdk.Readiness>().toEqualTypeOf<service.Readiness>();
    expectTypeOf<sdk.BotHealth>().toEqualTypeOf<health.BotHealth>();
    expectTypeOf<Problem>().toEqualTypeOf<z.output<typeof ProblemBody>>();
    expectTypeOf<sdk.ProblemCode>().toEqualTypeOf<ProblemCode>();
  });

  test('of parts of responses are those of the schemas', () => {
    expectTypeOf<sdk.HealthChange>().toEqualTypeOf<health.HealthChange>();
    expectTypeOf<sdk.HealthDetail>().toEqualTypeOf<z.output<typeof health.HealthDetail>>();
    expectTypeOf<sdk.HealthState>().toEqualTypeOf<(typeof health.HEALTH_STATES)[number]>();
    expectTypeOf<sdk.KeyEvent>().toEqualTypeOf<audit.KeyEvent>();
    expectTypeOf<sdk.QueuedEvent>().toEqualTypeOf<z.output<typeof audit.QueuedEvent>>();
    expectTypeOf<sdk.KeyEventName>().toEqualTypeOf<(typeof audit.KEY_EVENTS)[number]>();
    expectTypeOf<sdk.MasterKeyStatus>().toEqualTypeOf<keys.MasterKeyStatus>();
    expectTypeOf<sdk.Chain>().toEqualTypeOf<z.output<typeof keys.Chain>>();
    expectTypeOf<sdk.SigningKind>().toEqualTypeOf<SigningKind>();
    expectTypeOf<sdk.ProblemPart>().toEqualTypeOf<NonNullable<Problem['errors']>[number]>();
  });

  test('accept undefined for an optional field, and null only where the API does', () => {
    expectTypeOf<{ name: string; email: string; link_account: undefined }>().toExtend<sdk.ClientRequest>();
    expectTypeOf<{ name: string; email: string; link_account: null }>().not.toExtend<sdk.ClientRequest>();
    expectTypeOf<{ max_value: undefined }>().toExtend<sdk.PolicyRequest>();
    expectTypeOf<{ max_value: null }>().toExtend<sdk.PolicyRequest>();
    expectTypeOf<{ max_value: number }>().not.toExtend<sdk.PolicyRequest>();
  });

  test('of a call are those of its route', () => {
    type Parts<Line extends Parameters<Call>[0]> = Parameters<typeof call<Line>>[1];
    expectTypeOf<{ id: string }>().toExtend<Parts<'GET /bots/{id}'>>();
    expectTypeOf<{ repeatable: true }>().not.toExtend<Parts<'GET /bots/{id}'>>();
    expectTypeOf<{ body: sdk.ClientRequest }>().toExtend<Parts<'POST /clients'>>();
    expectTypeOf<{ body: sdk.CreateBotRequest }>().not.toExtend<Parts<'POST /clients'>>();
    expectTypeOf<{ query: sdk.PageQuery }>().toExtend<Parts<'GET /clients'>>();
    expectTypeOf<{ query: { limit: string } }>().not.toExtend<Parts<'GET /clients'>>();
    expectTypeOf<ReturnType<typeof call<'GET /bots/{id}'>>>().toEqualTypeOf<Promise<sdk.Bot>>();
    expectTypeOf<ReturnType<typeof call<'GET /bots/{id}/policy'>>>().not.toExtend<Promise<sdk.Bot>>();
  });
});

describe('calls', () => {
  const ID = '01a20567-9c9d-712c-b393-fbd8562d7591';

  /** Calls every method, and returns the requests that it sent: method and path, as written in the description. */
  async function everyCall(): Promise<string[]> {
    const lines: string[] = [];
    const api = createClient({
      url: 'https://api.example.test/base/',
      async fetch(input, init) {
        lines.push(
          `${init?.method} ${new URL(String(input)).pathname.replace('/base', '').replace(ID, '{id}')}`,
        );
        return new Response('{}');
      },
    });
    const { health, ready, ...groups } = api;
    await health();
    await ready();
    for (const group of Object.values(groups)) {
      for (const method of Object.values<(...args: never[]) => Promise<unknown>>(group)) {
        await Reflect.apply(method, undefined, [ID, {}]);
      }
    }
    return lines;
  }

  test('there is one for every operation of the API, and no other', async () => {
    const { paths = {} } = describeApi(createApp());
    const operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods ?? {}).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(operations.length).toBeGreaterThan(20);
    // JSON-RPC is for the libraries that speak it.
    const others = ['POST /bots/{id}/rpc'];
    expect([...(await everyCall()), ...others].sort()).toEqual(operations.sort());
  });

  test('page parameters are sent in the query, and missing ones are not sent', async () => {
    const urls: string[] = [];
    const api = createClient({
      url: 'https://api.example.test',
      async fetch(input) {
        urls.push(String(input));
        return new Response('{}');
      },
    });
    await api.clients.list();
    await api.clients.bots(ID, { limit: 2, cursor: ID });
    await api.clients.bots(ID, { limit: 2, cursor: undefined });
    expect(urls).toEqual([
      'https://api.example.test/clients',
      `https://api.example.test/clients/${ID}/bots?limit=2&cursor=${ID}`,
      `https://api.example.test/clients/${ID}/bots?limit=2`,
    ]);
  });
});
