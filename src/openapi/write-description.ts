/** Writes the description of the API (OpenAPI 3.1) from the routes, schemas and `reference/`. Not in the Worker's bundle. */
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { AppEnv } from '../app-env.ts';
import { type AccessKind, accessOf } from '../auth/access.ts';
import { MAX_KEY_LENGTH } from '../middleware/idempotency.ts';
import { Problem, type ProblemCode } from '../problem.ts';
import { type OperationId, REFERENCE } from './reference/index.ts';
import { type DescribedRoute, problemsOf } from './reference/problems.ts';
import { TAGS } from './reference/reference.ts';

const ABOUT = {
  openapi: '3.1.0',
  info: {
    title: 'trading-keys',
    version: '0.1.0',
    summary: 'Holds the private keys of trading bots and signs with them.',
    description:
      'An HTTPS API that stores the private keys of trading bots encrypted and signs with them. No response ever contains a private key.',
    license: { name: 'MIT', identifier: 'MIT' },
  },
  servers: [{ url: '/', description: 'The deployment that serves this description.' }],
  tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
};

const SECURITY_SCHEMES = {
  session: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description:
      'An access token of the Supabase project. If the operator requires it, operations with `key_change` take a second factor or a recent sign-in (RFC 9470). Operations with `ending` never do.',
  },
  machine_token: {
    type: 'http',
    scheme: 'bearer',
    description: 'A machine token (`tk_…`) of `POST /bots/{id}/tokens`.',
  },
};

/** The security requirements of an operation, by its access. */
const SECURITY: Record<AccessKind, readonly Readonly<Record<string, readonly string[]>>[]> = {
  anyone: [],
  health: [],
  session: [{ session: [] }],
  key_change: [{ session: ['key_change'] }],
  ending: [{ session: ['ending'] }],
  runner: [{ machine_token: [] }],
  signing: [{ machine_token: ['signing'] }],
};

/** Only a description: the middleware `idempotent` checks the header. */
const IDEMPOTENCY_KEY = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  schema: {
    type: 'string',
    minLength: 1,
    maxLength: MAX_KEY_LENGTH,
    pattern: '^[!-~]+$',
    example: '9f1c7a52-2f0e-4a53-8b8e-0d8a5a3f6f5e',
  },
};

const KEY_TEXTS = {
  used: 'A value that the caller chooses, such as a UUID: 1 to 255 visible ASCII characters. For 24 hours the same request with the same key is carried out once. If it is repeated, the response is the first response with "Idempotency-Replayed: true"; of a bot it has the current config. A different request with the same key is rejected with 422. A rejected request can be sent again with its key. The newest 1,000 responses of a caller are kept.',
  accepted:
    'Accepted and not needed: the request can be repeated with or without a key. Every request is carried out, and nothing is stored under the key.',
};

type Content = Record<string, { schema: object; example?: unknown }>;

interface Response {
  description: string;
  content?: Content;
  'x-problem-codes'?: readonly ProblemCode[];
  /** The codes in `data` of an error of JSON-RPC. */
  'x-json-rpc-problem-codes'?: readonly ProblemCode[];
}

/** The part of the document that this file reads. */
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, object>>>>;
  readonly components: { readonly schemas: object; readonly securitySchemes: object };
}

/** An operation of the document, with the declaration of its route. */
interface Written extends DescribedRoute {
  readonly operationId: OperationId;
  readonly parameters?: readonly object[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Record<string, Response>;
}

export function describeApi(app: OpenAPIHono<AppEnv>): Document {
  const declared = new Map<string, DescribedRoute>();
  for (const definition of app.openAPIRegistry.definitions) {
    if (definition.type !== 'route') continue;
    const { method, path } = definition.route;
    declared.set(`${method} ${path}`, definition.route as typeof definition.route & DescribedRoute);
  }
  const { components = {}, paths = {}, ...document } = app.getOpenAPI31Document(ABOUT);
  const described = Object.entries(paths).map(([path, operations]) => [
    path,
    Object.fromEntries(
      Object.entries(operations as Record<string, Written>).map(([method, operation]) => {
        const route = declared.get(`${method} ${path}`);
        return [method, route ? describe(operation, route) : operation];
      }),
    ),
  ]);
  return {
    ...document,
    paths: Object.fromEntries(described),
    components: { schemas: components.schemas ?? {}, securitySchemes: SECURITY_SCHEMES },
  };
}

function describe(operation: Written, route: DescribedRoute): object {
  const { operationId, access, idempotencyKey, requestBody, parameters = [] } = operation;
  const reference = REFERENCE[operationId];
  const { default: problem, ...responses } = operation.responses;
  const taken = idempotencyKey
    ? [{ ...IDEMPOTENCY_KEY, description: KEY_TEXTS[idempotencyKey] }, ...parameters]
    : parameters;
  return {
    operationId,
    tags: [reference.tag],
    summary: reference.summary,
    ...(reference.description !== undefined && { description: reference.description }),
    security: SECURITY[access],
    'x-rate-limit': accessOf(access, route.method.toUpperCase()).rate,
    ...(taken.length > 0 && { parameters: taken }),
    ...(requestBody && {
      requestBody: { ...requestBody, content: withExample(requestBody.content, reference.request) },
    }),
    responses: {
      ...Object.fromEntries(
        Object.entries(responses).map(([status, { content }]) => {
          const { description, example } = reference.responses[Number(status)] ?? { description: '' };
          const inData = status === '200' ? reference.problemsInData : undefined;
          return [
            status,
            {
              description,
              ...(content && { content: withExample(content, example) }),
              ...(inData && { 'x-json-rpc-problem-codes': inData.toSorted() }),
            },
          ];
        }),
      ),
      ...(problem?.content &&
        problemResponses(problem.content, problemsOf(route, reference.problems), responses)),
    },
  };
}

const withExample = (content: Content, example: unknown): Content =>
  Object.fromEntries(Object.entries(content).map(([type, media]) => [type, { ...media, example }]));

/**
 * The problem responses by status. All of them have the schema `Problem`, so that code generators create one class.
 * `x-problem-codes` lists the codes of each status.
 */
function problemResponses(
  content: Content,
  codes: readonly ProblemCode[],
  responses: Readonly<Record<string, Response>>,
): Record<string, Response> {
  const byStatus = Map.groupBy(codes, (code) => String(new Problem(code).status));
  const listed = [...byStatus].map(([status, own]) => {
    const description = `A problem (RFC 9457) with one of these codes: ${own.map((code) => `\`${code}\``).join(', ')}.`;
    return [status, { description, content, 'x-problem-codes': own }] as const;
  });
  return {
    ...Object.fromEntries(listed.filter(([status]) => responses[status] === undefined)),
    default: { description: 'Any other problem (RFC 9457).', content },
  };
}
