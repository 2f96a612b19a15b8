/** Every operation, read from the description of the API, so that every shared test covers a new route at once. */
import { createApp } from '../../src/app.ts';
import { newMachineToken } from '../../src/machine-token.ts';

/** The part of JSON Schema (2020-12) that the description uses. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly format?: string;
  readonly [keyword: string]: unknown;
}

type Content = Readonly<Record<string, { readonly schema: Schema; readonly example?: unknown }>>;

export interface Operation {
  /** As `call` accepts it, with `{id}` in the path. */
  readonly line: string;
  readonly path: string;
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly takesBody: boolean;
  readonly requestBody?: { readonly content: Content } | undefined;
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
  }[];
  readonly responses: Readonly<
    Record<string, { readonly content?: Content; readonly 'x-problem-codes'?: readonly string[] }>
  >;
}

export interface Description {
  readonly openapi: string;
  readonly info: { readonly license?: { readonly name: string } };
  readonly servers: readonly { readonly url: string }[];
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, Omit<Operation, 'line' | 'path' | 'takesBody'>>>>
  >;
  readonly components: {
    readonly schemas: Readonly<Record<string, Schema>>;
    readonly securitySchemes: object;
  };
}

const response = await createApp().fetch(new Request('http://api.example.test/openapi.json'), {});
export const description = (await response.json()) as Description;

export const operations: readonly Operation[] = Object.entries(description.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, { security = [], parameters = [], ...operation }]) => ({
    ...operation,
    line: `${method.toUpperCase()} ${path}`,
    path,
    security,
    parameters,
    takesBody: operation.requestBody !== undefined,
  })),
);

/** Routes about the API itself, which the description does not list. */
export const NOT_DESCRIBED = ['/openapi.json', '/docs', '/.well-known/security.txt'];

/** Operations for anyone. All others require a credential. */
export const PUBLIC = ['GET /health', 'GET /ready', 'GET /.well-known/jwks.json'];
export const protectedOperations = operations.filter(({ line }) => !PUBLIC.includes(line));
const isForRunners = ({ security }: Operation) => security.some((one) => Object.hasOwn(one, 'machine_token'));
/** Operations for machine tokens. Every other protected operation is for sessions. */
export const runnerOperations = protectedOperations.filter(isForRunners);
export const sessionOperations = protectedOperations.filter((operation) => !isForRunners(operation));

/** Problems of a request are errors of JSON-RPC there, with the status 200: test/rpc. */
export const isJsonRpc = ({ line }: Pick<Operation, 'line'>): boolean => line === 'POST /bots/{id}/rpc';

/** A credential that the edge accepts: this session, or for runners a well-formed machine token that was never issued. */
export const tokenFor = (line: string, session: string): string =>
  runnerOperations.some((operation) => operation.line === line) ? newMachineToken() : session;
