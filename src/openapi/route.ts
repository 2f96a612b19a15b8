/** What every route of this API shares: how answers and problems stand in the description. */
import { OpenAPIHono, type z } from '@hono/zod-openapi';
import type { AppEnv } from '../app-env.ts';
import { ProblemBody } from '../contract/common.ts';
import { refuseInvalid } from '../middleware/handle-error.ts';
import { MAX_KEY_LENGTH } from '../middleware/idempotency.ts';

export const newRouter = () => new OpenAPIHono<AppEnv>({ defaultHook: refuseInvalid });

/** Who may ask, as the description says it and as `authenticate` holds to it. */
export const SESSION = [{ session: [] }];
/** What puts a key to work: takes a second factor, or a sign-in of late, where the operator says so. */
export const KEY_CHANGE = [{ session: ['key_change'] }];
/** What stops or revokes. In an emergency it must work at once: without a second factor, and never limited. */
export const ENDING = [{ session: ['ending'] }];
export const RUNNER = [{ machine_token: [] }];
export const SIGNING = [{ machine_token: ['signing'] }];
export const ANYONE = [];
/** Anyone, as often as they like: it says only whether the Worker runs. */
export const ALWAYS = [];

/** A request body in JSON, required. */
export const jsonBody = <Schema extends z.ZodType>(schema: Schema) => ({
  required: true,
  content: { 'application/json': { schema } },
});

/** For routes that `idempotent` stands before, which checks the form: it is described here and not checked again. */
export const IdempotencyKey = {
  name: 'Idempotency-Key',
  in: 'header' as const,
  required: false,
  description:
    'Of your choice, such as a UUID: 1 to 255 visible ASCII characters, taken as they are. For 24 hours the same request with the same key is carried out once; repeated, it gets the first answer with "Idempotency-Replayed: true" and, of a bot, the config as it is now. Another request with the key is 422. A rejected request can be sent again with its key. The newest 1,000 answers of a caller are kept.',
  schema: {
    type: 'string' as const,
    minLength: 1,
    maxLength: MAX_KEY_LENGTH,
    pattern: '^[!-~]+$',
    example: '9f1c7a52-2f0e-4a53-8b8e-0d8a5a3f6f5e',
  },
};

/** For a call that may be repeated anyway: stopping twice is stopping once. */
export const UnneededIdempotencyKey = {
  ...IdempotencyKey,
  description:
    'Accepted, and not needed: the call may be repeated with or without a key. Every call is carried out, and nothing is stored under the key.',
};

/** One good answer, and the problems that a route can answer by status. */
export function answers<Status extends number, Schema extends z.ZodType>(
  status: Status,
  schema: Schema,
  description: string,
) {
  const good = { [status]: { description, content: { 'application/json': { schema } } } } as Record<
    Status,
    { description: string; content: { 'application/json': { schema: Schema } } }
  >;
  return { ...good, default: PROBLEM };
}

const PROBLEM = {
  description: 'A problem (RFC 9457); `code` says which.',
  content: { 'application/problem+json': { schema: ProblemBody } },
};
