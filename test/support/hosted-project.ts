/**
 * Adds what the embedded server cannot do. Hosted projects sign access tokens with ES256 or RS256 and publish the
 * public keys; `@supabase/lite` verifies HS256 only. This server publishes keys, verifies a token with them, and
 * forwards the call with the same claims under HS256. Functions and row-level security are the real ones. It can also
 * simulate every failure of a project.
 *
 * Each test has a project of its own, under a path: `PUT /{name}` sets its behaviour, `GET /{name}` returns its counters.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createLocalJWKSet, decodeProtectedHeader, type JWK, jwtVerify, SignJWT } from 'jose';
import { SERVER_OPTIONS } from './operator.ts';

export interface Reply {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Behaviour {
  /** The public keys that verify tokens, independent of the published ones. */
  readonly keys: readonly JWK[];
  readonly jwks: 'keys' | 'hang' | Reply;
  /** The behaviour of the REST API. A list has one entry for each call; the last one is repeated. */
  readonly rest: RestBehaviour | readonly RestBehaviour[];
}
type RestBehaviour = 'pass' | 'hang' | Reply;

export interface Counts {
  readonly jwksFetches: number;
  readonly restCalls: number;
}

interface Project {
  behaviour: Behaviour;
  /** The rest of the list in `behaviour.rest`. */
  rest: readonly RestBehaviour[];
  jwksFetches: number;
  restCalls: number;
}

export interface HostedProjects {
  readonly url: string;
  close(): Promise<void>;
}

export async function startHostedProjects(embedded: {
  supabaseUrl: string;
  jwtSecret: string;
}): Promise<HostedProjects> {
  const projects = new Map<string, Project>();
  const secret = new TextEncoder().encode(embedded.jwtSecret);
  let url = '';

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url: target = '/' } = request;
    const [, name = '', rest = ''] = /^\/([\w-]+)(.*)$/.exec(target) ?? [];
    const project = projects.get(name);
    const body = await bodyOf(request);
    if (rest === '' && method === 'PUT') {
      const behaviour: Behaviour = JSON.parse(body.toString());
      const rest = [behaviour.rest].flat();
      projects.set(name, { jwksFetches: 0, restCalls: 0, ...project, behaviour, rest });
      return send(response, json(200, {}));
    }
    if (!project) return send(response, json(404, {}));
    const { behaviour, jwksFetches, restCalls } = project;
    if (rest === '') return send(response, json(200, { jwksFetches, restCalls } satisfies Counts));
    if (rest === '/auth/v1/.well-known/jwks.json') {
      project.jwksFetches += 1;
      const { keys, jwks } = behaviour;
      if (jwks !== 'hang') send(response, jwks === 'keys' ? json(200, { keys }) : jwks);
      return;
    }
    project.restCalls += 1;
    const [now = 'pass', ...later] = project.rest;
    if (later.length > 0) project.rest = later;
    if (now === 'hang') return;
    if (now !== 'pass') return send(response, now);
    // An API key is not a JWT. Gateways may reject one that is sent as the token of a session.
    if (/^Bearer sb_/.test(request.headers.authorization ?? ''))
      return send(response, json(401, { message: 'Invalid Authorization header', hint: null }));
    const headers = { ...request.headers } as Record<string, string>;
    for (const hop of ['host', 'connection', 'content-length', 'transfer-encoding']) delete headers[hop];
    try {
      const { authorization } = headers;
      if (authorization !== undefined)
        headers.authorization = await underHs256(authorization, behaviour.keys, name);
    } catch {
      return send(response, json(401, { code: 'PGRST301', message: 'JWSError', details: null, hint: null }));
    }
    const passed = await fetch(`${embedded.supabaseUrl}${rest}`, {
      method,
      headers,
      ...(body.length > 0 && { body: new Uint8Array(body) }),
    });
    const type = passed.headers.get('content-type') ?? '';
    return send(response, { status: passed.status, type, body: await passed.text() });
  }

  /** The header for the embedded server: verified as a hosted project would, then signed with HS256. */
  async function underHs256(header: string, keys: readonly JWK[], name: string): Promise<string> {
    const token = header.replace(/^Bearer /, '');
    if (token.split('.').length !== 3 || decodeProtectedHeader(token).alg === 'HS256') return header;
    const { payload } = await jwtVerify(token, createLocalJWKSet({ keys: [...keys] }), {
      issuer: `${url}/${name}/auth/v1`,
      audience: 'authenticated',
    });
    return `Bearer ${await new SignJWT(payload).setProtectedHeader({ alg: 'HS256' }).sign(secret)}`;
  }

  const server = createServer(SERVER_OPTIONS, (request, response) => {
    answer(request, response).catch((error) => send(response, json(599, { error: String(error) })));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    async close() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const json = (status: number, value: unknown): Reply => ({
  status,
  type: 'application/json',
  body: JSON.stringify(value),
});

function send(response: ServerResponse, { status, type, body, headers }: Reply): void {
  response.writeHead(status, { 'content-type': type, ...headers }).end(body);
}
