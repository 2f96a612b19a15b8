/** A rejected request of a known caller is recorded in an audit chain: its own transaction left no trace. */
import type { Context } from 'hono';
import type { AppEnv } from '../app-env.ts';
import type { RefusalTarget } from '../database/as-caller.ts';
import { log } from '../log.ts';
import { Problem, type ProblemCode } from '../problem.ts';
import { inBackground } from './background.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Of a known caller, and refused before its body was read: it is not read for this. */
const BEFORE_THE_BODY: ReadonlySet<ProblemCode> = new Set(['second_factor_required', 'sign_in_too_old']);

/** What was judged and refused. Who is not known (401) has no chain, and what cannot be read (400, 413) says nothing. */
function isRefusal({ status, code }: Problem): boolean {
  return [403, 404, 409, 422].includes(status) || code === 'key_not_opened' || BEFORE_THE_BODY.has(code);
}

/** The answer does not wait for it, and nothing of it changes the answer. */
export function reportRefusal(c: Context<AppEnv>, problem: Problem): void {
  if (!isRefusal(problem)) return;
  // In the words of the description, such as `PUT /clients/{id}/rotate-key`; nothing of what was asked.
  const route = c.get('auditedRoute')?.replaceAll(/:(\w+)/g, '{$1}');
  if (route !== undefined) inBackground(c, () => report(c, route, problem.code));
}

async function report(c: Context<AppEnv>, route: string, code: ProblemCode): Promise<void> {
  try {
    const id = c.req.param('id') ?? '';
    if (c.get('runnerDatabase'))
      await c.get('runnerDatabase').reportRefusal(UUID.test(id) ? id : undefined, code, route);
    // Not there: who asked was not known.
    else await c.get('database')?.reportRefusal(await targetOf(c, route, id, code), code, route);
  } catch (error) {
    const reason = error instanceof Problem ? error.code : 'internal_error';
    // A token that is not in force is nobody's.
    if (reason === 'token_invalid') return;
    log({ event: 'refusal_not_recorded', level: 'error', request_id: c.get('requestId'), code, reason });
  }
}

/** What the request is about, as far as it names it. Whether the caller may see it is for the database to say. */
async function targetOf(
  c: Context<AppEnv>,
  route: string,
  id: string,
  code: ProblemCode,
): Promise<RefusalTarget> {
  if (route === 'POST /bots/create') {
    if (BEFORE_THE_BODY.has(code)) return {};
    const body: unknown = await c.req.json().catch(() => undefined);
    const named = typeof body === 'object' && body && 'client_id' in body ? body.client_id : undefined;
    return typeof named === 'string' && UUID.test(named) ? { client_id: named } : {};
  }
  if (!UUID.test(id)) return {};
  const [, first] = route.split('/');
  return first === 'clients' ? { client_id: id } : first === 'tokens' ? { token_id: id } : { bot_id: id };
}
