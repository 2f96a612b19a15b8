/** Every operation of the API as it describes itself, so that a new route meets every shared test at once. */
import { createApp } from '../../src/app.ts';
import { newMachineToken } from '../../src/machine-token.ts';

/** JSON Schema (2020-12), as far as the description uses it. */
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
  /** As `call` takes it, with `{id}` in the path. */
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
    Record<string, { readonly content: Content; readonly 'x-problem-codes'?: readonly string[] }>
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

/** What the API says of itself stands in no description. */
export const NOT_DESCRIBED = ['/openapi.json', '/docs'];

/** What anyone may ask; everything else asks who calls. */
export const PUBLIC = ['GET /health', 'GET /ready', 'GET /.well-known/jwks.json'];
export const protectedOperations = operations.filter(({ line }) => !PUBLIC.includes(line));
const isForRunners = ({ security }: Operation) => security.some((one) => Object.hasOwn(one, 'machine_token'));
/** What a machine token asks; every other protected operation is for sessions. */
export const runnerOperations = protectedOperations.filter(isForRunners);
export const sessionOperations = protectedOperations.filter((operation) => !isForRunners(operation));

/** What passes the edge's look at who calls: this session, or for runners a machine token that nobody issued. */
export const tokenFor = (line: string, session: string): string =>
  runnerOperations.some((operation) => operation.line === line) ? newMachineToken() : session;
