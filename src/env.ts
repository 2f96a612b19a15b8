/** A secret of Cloudflare's Secrets Store, bound to the Worker (`secrets_store_secrets`). `get` rejects where it fails. */
export interface SecretBinding {
  get(): Promise<string>;
}

/** The settings of a deployment. Each may be missing: the Worker starts, and `GET /ready` names what is. */
export interface Bindings {
  /** Of the Supabase project, such as `https://abc.supabase.co`. */
  readonly SUPABASE_URL?: string;
  /** The public API key (`sb_publishable_…`). Never a secret or service-role key. */
  readonly SUPABASE_PUBLISHABLE_KEY?: string;
  /** Only where access tokens are HS256: local and self-hosted projects. */
  readonly SUPABASE_JWT_SECRET?: string;
  /** Master keys, base64 of 32 bytes each, separated by commas: a secret, or a binding that gives one. The first
   * seals, all open. */
  readonly ENCRYPTION_KEY?: string | SecretBinding;
  /** Machine token of the scope `edge`: the database returns and stores envelopes only for who sends it. */
  readonly EDGE_TOKEN?: string;
  /** Machine token of the scope `monitor`, for the health monitor that the cron runs. */
  readonly MONITOR_TOKEN?: string;
  /** Machine token of the scope `rewrap`: set while a new master key takes over, for a week at most. */
  readonly REWRAP_TOKEN?: string;
  /** Ed25519 seed, base64 of 32 bytes: signs the heads of audit chains. Optional. */
  readonly AUDIT_SIGNING_KEY?: string;
  /** Public halves of former audit keys, separated by commas: what they signed stays verifiable. */
  readonly AUDIT_PUBLIC_KEYS?: string;
  /** `true`: key changes take a session with a second factor. Its other half is `private.settings`. */
  readonly REQUIRE_AAL2?: string;
  /** Key changes take somebody who signed in at most so long ago. Its other half is `private.settings`. */
  readonly MAX_SIGN_IN_AGE_SECONDS?: string;
  /** Web pages that may read answers: exact origins, separated by commas. None unless named. */
  readonly ALLOWED_ORIGINS?: string;
  /** What the rate limits below are, in the words of the header `RateLimit-Policy`. */
  readonly RATE_LIMIT_POLICY?: string;
  /** `development` lets answers tell how long they took (`Server-Timing`); production does not say. */
  readonly ENVIRONMENT?: string;
  /** The files of `public/`, where the runtime keeps them apart from the Worker. */
  readonly ASSETS?: Files;
}

/** `[assets]` of wrangler.toml. */
export interface Files {
  fetch(url: URL): Promise<Response>;
}

/** Of the Workers runtime. Other runtimes have none: nothing is limited there. */
export interface RateLimiter {
  limit(options: { readonly key: string }): Promise<{ readonly success: boolean }>;
}

/** What is counted apart: `[[ratelimits]]` of wrangler.toml. */
export interface RateLimiters {
  readonly READ_LIMIT?: RateLimiter;
  readonly CHANGE_LIMIT?: RateLimiter;
  readonly SIGN_LIMIT?: RateLimiter;
  readonly GUESS_LIMIT?: RateLimiter;
}

export interface Settings {
  readonly supabaseUrl: URL | undefined;
  readonly publishableKey: string | undefined;
  readonly jwtSecret: string | undefined;
  readonly encryptionKey: string | SecretBinding | undefined;
  readonly edgeToken: string | undefined;
  readonly monitorToken: string | undefined;
  readonly rewrapToken: string | undefined;
  readonly auditSigningKey: string | undefined;
  readonly auditPublicKeys: string | undefined;
  readonly requireAal2: boolean;
  readonly maxSignInAgeSeconds: number | undefined;
  readonly allowedOrigins: ReadonlySet<string>;
  readonly rateLimitPolicy: string;
  readonly isDevelopment: boolean;
}

export function readSettings(env: Bindings): Settings {
  return {
    supabaseUrl: httpUrl(env.SUPABASE_URL),
    publishableKey: env.SUPABASE_PUBLISHABLE_KEY?.trim() || undefined,
    jwtSecret: env.SUPABASE_JWT_SECRET?.trim() || undefined,
    encryptionKey: env.ENCRYPTION_KEY,
    edgeToken: env.EDGE_TOKEN?.trim() || undefined,
    monitorToken: env.MONITOR_TOKEN?.trim() || undefined,
    rewrapToken: env.REWRAP_TOKEN?.trim() || undefined,
    auditSigningKey: env.AUDIT_SIGNING_KEY,
    auditPublicKeys: env.AUDIT_PUBLIC_KEYS,
    // Whatever is not clearly off is on: a typing error must not open what it was meant to close.
    requireAal2: !['', 'false'].includes(env.REQUIRE_AAL2?.trim().toLowerCase() ?? ''),
    maxSignInAgeSeconds: seconds(env.MAX_SIGN_IN_AGE_SECONDS),
    allowedOrigins: origins(env.ALLOWED_ORIGINS),
    rateLimitPolicy: env.RATE_LIMIT_POLICY ?? '',
    isDevelopment: env.ENVIRONMENT?.trim() === 'development',
  };
}

/** What is no number of seconds is none at all: every sign-in is too old then, and `GET /ready` tells. */
function seconds(text: string | undefined): number | undefined {
  if (!text?.trim()) return undefined;
  return /^\d{1,9}$/.test(text.trim()) ? Number(text) : 0;
}

/** Scheme, host and port, as a browser sends them. What is none, `*` and `null` before all, allows nobody. */
function origins(text = ''): ReadonlySet<string> {
  const named = text.split(',').map((origin) => origin.trim());
  return new Set(named.filter((origin) => httpUrl(origin)?.origin === origin));
}

function httpUrl(text: string | undefined): URL | undefined {
  const url = URL.parse(text?.trim().replace(/\/+$/, '') ?? '');
  return url && (url.protocol === 'https:' || url.protocol === 'http:') ? url : undefined;
}
