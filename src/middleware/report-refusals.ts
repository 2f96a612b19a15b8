/** A rejected request of a known caller is recorded in an audit chain: its own transaction left no trace. */
import type { Context } from 'hono';
import type { AppEnv } from '../app-env.ts';
import type { MatchedRoute } from '../auth/access.ts';
import type { RefusalTarget } from '../database/as-caller.ts';
import { log } from '../log.ts';
import { Problem, type ProblemCode } from '../problem.ts';
import { inBackground } from './background.ts';
import { subjectOf, UUID } from './route.ts';

/** Of a known caller, and refused before its body was read: it is not read for this. */
const BEFORE_THE_BODY: ReadonlySet<ProblemCode> = new Set(['second_factor_required', 'sign_in_too_old']);

/** What was judged and refused. Who is not known (401) has no chain, and what cannot be read (400, 413) says nothing. */
function isRefusal({ status, code }: Problem): boolean {
  return [403, 404, 409, 422].includes(status) || code === 'key_not_opened' || BEFORE_THE_BODY.has(code);
}

/** Records a rejected request. The response does not wait for the record, and a failure to record changes nothing in it. */
export function reportRefusal(c: Context<AppEnv>, problem: Problem): void {
  const route = c.get('route');
  if (route?.access.audited && isRefusal(problem)) inBackground(c, () => report(c, route, problem.code));
}

async function report(c: Context<AppEnv>, route: MatchedRoute, code: ProblemCode): Promise<void> {
  // As in the description, such as `PUT /clients/{id}/rotate-key`: nothing of the request itself.
  const line = `${route.method} ${route.path}`;
  try {
    if (c.get('runnerDatabase')) {
      await c.get('runnerDatabase').reportRefusal(subjectOf(c).bot_id, code, line);
    } else {
      // Undefined if the caller is not known.
      await c.get('database')?.reportRefusal(await targetOf(c, route, code), code, line);
    }
  } catch (error) {
    const reason = error instanceof Problem ? error.code : 'internal_error';
    // A token that is not in force belongs to no audit chain.
    if (reason === 'token_invalid') return;
    log({ event: 'refusal_not_recorded', level: 'error', request_id: c.get('requestId'), code, reason });
  }
}

/** What the request is about, as far as it names it. The database decides whether the caller may see it. */
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
