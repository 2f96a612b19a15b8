/** How the routes of this API are defined. */
import { createRoute, OpenAPIHono, type RouteConfig, type z } from '@hono/zod-openapi';
import type { MiddlewareHandler } from 'hono';
import type { AppEnv } from '../app-env.ts';
import type { Declaration } from '../auth/access.ts';
import { ProblemBody } from '../contract/common.ts';
import { requireJson } from '../middleware/body.ts';
import { rejectInvalid } from '../middleware/handle-error.ts';
import { idempotent } from '../middleware/idempotency.ts';
import type { OperationId } from './reference/index.ts';

export const newRouter = () => new OpenAPIHono<AppEnv>({ defaultHook: rejectInvalid });

/** What a route declares beside its schemas. The middleware and the description both follow it. */
export interface RouteDeclaration extends Declaration {
  /** Under this name `reference/` has the text, the problem codes and the examples of the operation. */
  readonly operationId: OperationId;
}

type Definition<Path extends string> = Omit<RouteConfig, 'path'> & { path: Path };

/** A body takes `requireJson`, and an `Idempotency-Key` takes `idempotent`: a route cannot forget either. */
export function defineRoute<Path extends string, Route extends Definition<Path> & RouteDeclaration>(
  route: Route,
) {
  const middleware: MiddlewareHandler<AppEnv>[] = [];
  if (route.request?.body) middleware.push(requireJson);
  if (route.idempotencyKey) middleware.push(idempotent);
  return createRoute<Path, Route & { middleware: typeof middleware }>({ ...route, middleware });
}

/** A request body in JSON, required. */
export const jsonBody = <Schema extends z.ZodType>(schema: Schema) => ({
  required: true,
  content: { 'application/json': { schema } },
});

/** A response in JSON. Its text is in `reference/`. */
export const json = <Schema extends z.ZodType>(schema: Schema) => ({
  description: '',
  content: { 'application/json': { schema } },
});

/** The response of a request that succeeds, and problems. `write-description.ts` lists the problems by their statuses. */
export function responses<Status extends number, Schema extends z.ZodType>(status: Status, schema: Schema) {
  const succeeded = { [status]: json(schema) } as Record<Status, ReturnType<typeof json<Schema>>>;
  return { ...succeeded, default: PROBLEM };
}

const PROBLEM = { description: '', content: { 'application/problem+json': { schema: ProblemBody } } };
