/** Who may call a route, and which rate limit applies. Each route declares one kind of access: `openapi/route.ts`. */

/** Requests with the same rate limit. `never` is not limited, because nothing may delay a revocation. */
export type RateClass = 'reads' | 'changes' | 'signing' | 'guesses' | 'never';

export interface Access {
  /** The required credential: a session, a machine token (`runner`), or none. */
  readonly who: 'session' | 'runner' | 'anyone';
  readonly rate: RateClass;
  /** Whether the operator may require a second factor or a recent sign-in. */
  readonly stepUp: boolean;
  /** Whether a rejected request is recorded in an audit chain. */
  readonly audited: boolean;
}

/** For GET. Other methods count as `changes`, see `accessOf`. */
const SESSION: Access = { who: 'session', rate: 'reads', stepUp: false, audited: false };
const ANYONE: Access = { who: 'anyone', rate: 'reads', stepUp: false, audited: false };
const RUNNER: Access = { who: 'runner', rate: 'reads', stepUp: false, audited: false };

export const ACCESS = {
  anyone: ANYONE,
  /** Without a rate limit: the response only reports that the Worker runs. */
  health: { ...ANYONE, rate: 'never' },
  session: SESSION,
  /** Stores a key or lets a program use it. The operator may require step-up. */
  key_change: { who: 'session', rate: 'changes', stepUp: true, audited: true },
  /** Stops or revokes. It must work at once in an emergency, so it has no step-up and no rate limit. */
  ending: { who: 'session', rate: 'never', stepUp: false, audited: true },
  runner: RUNNER,
  signing: { who: 'runner', rate: 'signing', stepUp: false, audited: true },
} as const satisfies Record<string, Access>;

export type AccessKind = keyof typeof ACCESS;

/** The resource that `{id}` in the path identifies. `client_in_body`: the path has no id, and the body has `client_id`. */
export type Subject = 'client' | 'bot' | 'token' | 'client_in_body';

/** The declaration of a route. The middleware and the OpenAPI description both use it. */
export interface Declaration {
  readonly access: AccessKind;
  readonly subject?: Subject;
  /**
   * `used`: the database carries out one request for each `Idempotency-Key`. `accepted`: the request is idempotent by
   * itself, so the key is checked and not stored.
   */
  readonly idempotencyKey?: 'used' | 'accepted';
  /** The largest body, if it is not `MAX_BODY_BYTES` of the middleware. */
  readonly maxBodyBytes?: number;
}

/** The route of a request. */
export interface MatchedRoute {
  readonly method: string;
  /** In the form of OpenAPI: `/bots/{id}/sign`. */
  readonly path: string;
  readonly access: Access;
  readonly subject?: Subject | undefined;
  readonly maxBodyBytes?: number | undefined;
}

/** A route without a known kind of access requires a session, so that no route is public by mistake. */
export function accessOf(kind: string | undefined, method: string): Access {
  if (kind !== undefined && kind !== 'session' && Object.hasOwn(ACCESS, kind))
    return ACCESS[kind as AccessKind];
  return { ...SESSION, rate: method === 'GET' ? 'reads' : 'changes' };
}
