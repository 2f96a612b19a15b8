/** Who may call a route, and what a call of it counts as. Each route names one kind of access: `openapi/route.ts`. */

/** Calls that are counted together. `never` is not counted: a caller who ends something must not be held up. */
export type RateClass = 'reads' | 'changes' | 'signing' | 'guesses' | 'never';

export interface Access {
  /** A caller with a session, a runner with its machine token, or anyone. */
  readonly who: 'session' | 'runner' | 'anyone';
  readonly rate: RateClass;
  /** Whether the operator may require a second factor or a recent sign-in. */
  readonly stepUp: boolean;
  /** Whether a rejected request leaves a row in an audit chain. */
  readonly audited: boolean;
}

/** A session that reads. A session that changes something counts as `changes`, see `accessOf`. */
const SESSION: Access = { who: 'session', rate: 'reads', stepUp: false, audited: false };
const ANYONE: Access = { who: 'anyone', rate: 'reads', stepUp: false, audited: false };
const RUNNER: Access = { who: 'runner', rate: 'reads', stepUp: false, audited: false };

export const ACCESS = {
  anyone: ANYONE,
  /** Anyone, without a limit. The response only reports that the Worker runs. */
  health: { ...ANYONE, rate: 'never' },
  session: SESSION,
  /** Puts a key to work, so that the operator may require a stronger sign-in. */
  key_change: { who: 'session', rate: 'changes', stepUp: true, audited: true },
  /** Stops or revokes. In an emergency it must work at once: without a second factor and without a limit. */
  ending: { who: 'session', rate: 'never', stepUp: false, audited: true },
  runner: RUNNER,
  signing: { who: 'runner', rate: 'signing', stepUp: false, audited: true },
} as const satisfies Record<string, Access>;

export type AccessKind = keyof typeof ACCESS;

/** What `{id}` in the path of a route identifies. `client_in_body`: the path has no id, and the body has `client_id`. */
export type Subject = 'client' | 'bot' | 'token' | 'client_in_body';

/** What a route declares about itself, once, for the middleware and for the description. */
export interface Declaration {
  readonly access: AccessKind;
  readonly subject?: Subject;
  /**
   * `used`: the work is done once for each `Idempotency-Key`. `accepted`: the request may be repeated anyway, so that the
   * key is checked and not stored.
   */
  readonly idempotencyKey?: 'used' | 'accepted';
}

/** The route of a request. */
export interface MatchedRoute {
  readonly method: string;
  /** As in the description: `/bots/{id}/sign`. */
  readonly path: string;
  readonly access: Access;
  readonly subject?: Subject | undefined;
}

/** A route that declares nothing, or an unknown kind, takes a session: no route is open to anyone by mistake. */
export function accessOf(kind: string | undefined, method: string): Access {
  if (kind !== undefined && kind !== 'session' && Object.hasOwn(ACCESS, kind))
    return ACCESS[kind as AccessKind];
  return { ...SESSION, rate: method === 'GET' ? 'reads' : 'changes' };
}
