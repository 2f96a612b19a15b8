/** Records rejected requests in an audit chain, because the transaction of a rejected request is rolled back. */
import type { Context } from 'hono';
import type { AppEnv } from '../app-env.ts';
import type { MatchedRoute } from '../auth/access.ts';
import type { RefusalTarget } from '../database/as-caller.ts';
import { log } from '../log.ts';
import { Problem, type ProblemCode } from '../problem.ts';
import { inBackground } from './background.ts';
import { subjectOf, UUID } from './route.ts';

/** The caller is known, but the request was rejected before its body was read. The body is not read for the record. */
const BEFORE_THE_BODY: ReadonlySet<ProblemCode> = new Set(['second_factor_required', 'sign_in_too_old']);

/** Not 401, because an unknown caller has no chain. Not 400 and 413, because such a request has no readable content. */
function isRefusal({ status, code }: Problem): boolean {
  return (
    [403, 404, 409, 422].includes(status) || code === 'key_decryption_failed' || BEFORE_THE_BODY.has(code)
  );
}

/** Records a rejected request. The response does not wait for the record, and a failure to record changes nothing in it. */
export function reportRefusal(c: Context<AppEnv>, problem: Problem): void {
  const route = c.get('route');
  if (route?.access.audited && isRefusal(problem)) inBackground(c, () => report(c, route, problem.code));
}

async function report(c: Context<AppEnv>, route: MatchedRoute, code: ProblemCode): Promise<void> {
  // The route, such as `PUT /clients/{id}/rotate-key`. It contains no value of the request.
  const line = `${route.method} ${route.path}`;
  try {
    if (c.get('runnerDatabase')) {
      await c.get('runnerDatabase').reportRefusal(subjectOf(c).bot_id, code, line);
    } else {
      // The database is undefined if the caller is not known.
      await c.get('database')?.reportRefusal(await targetOf(c, route, code), code, line);
    }
  } catch (error) {
    const reason = error instanceof Problem ? error.code : 'internal_error';
    // A token that is not valid belongs to no client, so there is no audit chain for it.
    if (reason === 'token_invalid') return;
    log({ event: 'refusal_not_recorded', level: 'error', request_id: c.get('requestId'), code, reason });
  }
}

/** The resource that the request names, if it names one. The database checks whether the caller may see it. */
async function targetOf(
  c: Context<AppEnv>,
  { subject }: MatchedRoute,
  code: ProblemCode,
): Promise<RefusalTarget> {
  if (subject !== 'client_in_body') return subjectOf(c);
  if (BEFORE_THE_BODY.has(code)) return {};
  const body: unknown = await c.req.json().catch(() => undefined);
  const named = typeof body === 'object' && body && 'client_id' in body ? body.client_id : undefined;
  return typeof named === 'string' && UUID.test(named) ? { client_id: named } : {};
}
