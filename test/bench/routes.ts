/** The requests to the routes of the edge that are measured. */
import type { Request } from './connection.ts';
import { type EdgeSamples, newEvmKey, newSolanaKey } from './samples.ts';
import { requestBy } from './service.ts';

export interface Route {
  readonly name: string;
  readonly request: Request;
  readonly status?: number;
  readonly kind: 'read' | 'key write' | 'write' | 'sign';
  /** No bare route contains signing. This operation is timed in a loop, and its time is subtracted from the service's. */
  readonly curves?: string;
}

export function routesOf({ clientId, botId, machineToken, operations }: EdgeSamples): Route[] {
  const session = (method: string, path: string, body?: object) =>
    requestBy(operations.hs256[0] ?? '', method, path, body);
  const signing = Object.entries(operations.requests).map(
    ([kind, request]): Route => ({
      name: `POST /bots/{id}/sign ${kind}`,
      request: requestBy(machineToken, 'POST', `/bots/${botId}/sign`, request),
      kind: 'sign',
      curves: `bare sign and check ${kind}`,
    }),
  );
  return [
    { name: 'GET /health', request: { path: '/health' }, kind: 'read' },
    { name: 'GET /clients/me', request: session('GET', '/clients/me'), kind: 'read' },
    {
      name: 'GET /clients/me, ES256',
      request: requestBy(operations.es256[0] ?? '', 'GET', '/clients/me'),
      kind: 'read',
    },
    {
      name: 'GET /clients/{id}/trading-key',
      request: session('GET', `/clients/${clientId}/trading-key`),
      kind: 'read',
    },
    { name: 'GET /clients/{id}/bots', request: session('GET', `/clients/${clientId}/bots`), kind: 'read' },
    {
      name: 'GET /clients/{id}/bot-options',
      request: session('GET', `/clients/${clientId}/bot-options`),
      kind: 'read',
    },
    { name: 'GET /bots/{id}', request: session('GET', `/bots/${botId}`), kind: 'read' },
    { name: 'GET /bots/{id}/policy', request: session('GET', `/bots/${botId}/policy`), kind: 'read' },
    { name: 'GET /runner/bots', request: requestBy(machineToken, 'GET', '/runner/bots'), kind: 'read' },
    {
      name: 'POST /bots/{id}/heartbeat',
      request: requestBy(machineToken, 'POST', `/bots/${botId}/heartbeat`, { status: 'ok' }),
      kind: 'write',
    },
    {
      name: 'POST /clients/{id}/setup-bot',
      request: session('POST', `/clients/${clientId}/setup-bot`, {
        bot_type: 'evm-grid',
        private_key: newEvmKey(),
      }),
      status: 201,
      kind: 'key write',
    },
    {
      name: 'PUT /clients/{id}/rotate-key, EVM',
      request: session('PUT', `/clients/${clientId}/rotate-key`, { private_key: newEvmKey() }),
      kind: 'key write',
    },
    {
      name: 'PUT /clients/{id}/rotate-key, Solana',
      request: session('PUT', `/clients/${clientId}/rotate-key`, {
        private_key: newSolanaKey(),
        chain: 'solana',
      }),
      kind: 'key write',
    },
    {
      name: 'DELETE /clients/{id}/revoke-key',
      request: session('DELETE', `/clients/${clientId}/revoke-key`),
      kind: 'write',
    },
    ...signing,
  ];
}
