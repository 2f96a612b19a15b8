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
  /** `undefined` where what is set is neither `true` nor `false`. */
  readonly requireAal2: boolean | undefined;
  /** `undefined` for no limit, `NaN` if the setting is not a number of seconds. */
  readonly maxSignInAgeSeconds: number | undefined;
  readonly allowedOrigins: ReadonlySet<string>;
  readonly rateLimitPolicy: string;
  readonly isDevelopment: boolean;
}

export function readSettings(env: Bindings): Settings {
  return {
    supabaseUrl: projectUrl(text(env.SUPABASE_URL)),
    publishableKey: headerValue(text(env.SUPABASE_PUBLISHABLE_KEY)),
    jwtSecret: secret(env.SUPABASE_JWT_SECRET),
    // An object is a binding. Whether it gives a secret is found where it is read.
    encryptionKey: (typeof env.ENCRYPTION_KEY === 'object' && env.ENCRYPTION_KEY) || text(env.ENCRYPTION_KEY),
    edgeToken: text(env.EDGE_TOKEN) || undefined,
    monitorToken: text(env.MONITOR_TOKEN) || undefined,
    rewrapToken: text(env.REWRAP_TOKEN) || undefined,
    auditSigningKey: text(env.AUDIT_SIGNING_KEY),
    auditPublicKeys: text(env.AUDIT_PUBLIC_KEYS),
    requireAal2: trueOrFalse(text(env.REQUIRE_AAL2) || 'false'),
    maxSignInAgeSeconds: positive(text(env.MAX_SIGN_IN_AGE_SECONDS)),
    allowedOrigins: origins(text(env.ALLOWED_ORIGINS)),
    rateLimitPolicy: text(env.RATE_LIMIT_POLICY),
    isDevelopment: text(env.ENVIRONMENT) === 'development',
  };
}

/** Replaces a value that is not text. It is malformed as any setting, and not empty, because empty means "not set". */
const NO_TEXT = '\0';

/**
 * A setting as text, whatever it is bound to: `[vars]` of wrangler.toml can also hold numbers, booleans and objects. A
 * setting of another type than expected must not stop the Worker.
 */
function text(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'object' ? NO_TEXT : String(value).trim();
}

function secret(value: unknown): string | undefined {
  const read = text(value);
  return read === '' || read === NO_TEXT ? undefined : read;
}

const WHOLE_NUMBER = /^\d{1,9}$/;
const wholeNumber = (digits: string) => (WHOLE_NUMBER.test(digits) ? Number(digits) : Number.NaN);

/** Also `NaN` for 0, which the database's half of the setting does not take: every sign-in would be too old. */
function positive(digits: string): number | undefined {
  return digits === '' ? undefined : wholeNumber(digits) || Number.NaN;
}

function trueOrFalse(word: string): boolean | undefined {
  const lower = word.toLowerCase();
  return lower === 'true' || lower === 'false' ? lower === 'true' : undefined;
}

/** What `fetch` takes as the value of a header. */
function headerValue(value: string): string | undefined {
  return /^[\x21-\x7e]+$/.test(value) ? value : undefined;
}

/** Scheme, host and port, as a browser sends them. Anything else, such as `*` and `null`, allows no origin. */
function origins(list: string): ReadonlySet<string> {
  const named = list.split(',').map((origin) => origin.trim());
  return new Set(named.filter((origin) => httpUrl(origin)?.origin === origin));
}

function httpUrl(text: string): URL | undefined {
  const url = URL.parse(text);
  return url && (url.protocol === 'https:' || url.protocol === 'http:') ? url : undefined;
}

/** Paths are appended to it. `fetch` takes no URL with a user or a password. */
function projectUrl(text: string): URL | undefined {
  const url = httpUrl(text.replace(/\/+$/, ''));
  return url && !url.username && !url.password && !url.search && !url.hash ? url : undefined;
}
