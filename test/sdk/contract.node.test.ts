/** The SDK's types equal those of the API's schemas (checked by `tsc -p test`), and the SDK has every call. */

import type { z } from '@hono/zod-openapi';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { createApp } from '../../src/app.ts';
import type * as audit from '../../src/contract/audit.ts';
import type * as bots from '../../src/contract/bots.ts';
import type * as clients from '../../src/contract/clients.ts';
import type { PageQuery } from '../../src/contract/common.ts';
import type * as service from '../../src/contract/health.ts';
import type * as keys from '../../src/contract/keys.ts';
import type * as policies from '../../src/contract/policies.ts';
import type * as runner from '../../src/contract/runner.ts';
import type * as signing from '../../src/contract/signing.ts';
import type * as tokens from '../../src/contract/tokens.ts';
import { describeApi } from '../../src/openapi/write-description.ts';
import type * as sdk from '../../src/sdk/client.ts';
import { createClient } from '../../src/sdk/client.ts';

describe('types', () => {
  test('of requests are the input types of the schemas', () => {
    expectTypeOf<sdk.ClientRequest>().toEqualTypeOf<z.input<typeof clients.ClientRequest>>();
    expectTypeOf<sdk.CreateBotRequest>().toEqualTypeOf<z.input<typeof bots.CreateBotRequest>>();
    expectTypeOf<sdk.SetupBotRequest>().toEqualTypeOf<z.input<typeof bots.SetupBotRequest>>();
    expectTypeOf<sdk.WalletRequest>().toEqualTypeOf<z.input<typeof keys.WalletRequest>>();
    expectTypeOf<sdk.RotateRequest>().toEqualTypeOf<z.input<typeof keys.RotateRequest>>();
    expectTypeOf<sdk.IssueTokenRequest>().toEqualTypeOf<z.input<typeof tokens.IssueTokenRequest>>();
    expectTypeOf<sdk.PolicyRequest>().toEqualTypeOf<z.input<typeof policies.PolicyRequest>>();
    expectTypeOf<sdk.SignRequest>().branded.toEqualTypeOf<z.input<typeof signing.SignRequest>>();
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
    expect((await everyCall()).sort()).toEqual(operations.sort());
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
