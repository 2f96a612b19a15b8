/** Functions that define the routes of this API. */
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

/** The declaration of a route in addition to its schemas. The middleware and the description both use it. */
export interface RouteDeclaration extends Declaration {
  /** The name of the operation in `reference/`, which has its text, problem codes and examples. */
  readonly operationId: OperationId;
  /** Runs around everything else of the route, such as the checks of the body. */
  readonly around?: MiddlewareHandler<AppEnv>;
}

type Definition<Path extends string> = Omit<RouteConfig, 'path'> & { path: Path };

/** Adds `requireJson` to routes with a body, and `idempotent` to routes with an `Idempotency-Key`. */
export function defineRoute<Path extends string, Route extends Definition<Path> & RouteDeclaration>(
  route: Route,
) {
  const middleware: MiddlewareHandler<AppEnv>[] = route.around ? [route.around] : [];
  if (route.request?.body) middleware.push(requireJson);
  if (route.idempotencyKey) middleware.push(idempotent);
  return createRoute<Path, Route & { middleware: typeof middleware }>({ ...route, middleware });
}

/** A request body in JSON, required. */
export const jsonBody = <Schema extends z.ZodType>(schema: Schema) => ({
  required: true,
  content: { 'application/json': { schema } },
});

/** A response in JSON. Its description is in `reference/`. */
export const json = <Schema extends z.ZodType>(schema: Schema) => ({
  description: '',
  content: { 'application/json': { schema } },
});

/** The response of a successful request, and problems. `write-description.ts` adds the problems of each possible status. */
export function responses<Status extends number, Schema extends z.ZodType>(status: Status, schema: Schema) {
  const succeeded = { [status]: json(schema) } as Record<Status, ReturnType<typeof json<Schema>>>;
  return { ...succeeded, default: PROBLEM };
}

const PROBLEM = { description: '', content: { 'application/problem+json': { schema: ProblemBody } } };
