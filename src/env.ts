import { readFeeCaps, readRpcUrls } from './chain-settings.ts';

/** A secret of Cloudflare's Secrets Store, bound to the Worker (`secrets_store_secrets`). */
export interface SecretBinding {
  get(): Promise<string>;
}

/** The settings of a deployment. Without a setting the Worker still starts, and `GET /ready` names what is missing. */
export interface Bindings {
  /** The URL of the Supabase project, such as `https://abc.supabase.co`. */
  readonly SUPABASE_URL?: string;
  /** The public API key (`sb_publishable_…`). Never a secret or service-role key. */
  readonly SUPABASE_PUBLISHABLE_KEY?: string;
  /** Only if access tokens are HS256, as in local and self-hosted projects. */
  readonly SUPABASE_JWT_SECRET?: string;
  /**
   * Master keys, base64 of 32 bytes each, separated by commas: a secret, or a binding to one. The first master key seals.
   * All of them open.
   */
  readonly ENCRYPTION_KEY?: string | SecretBinding;
  /** Machine token of the scope `edge`. Without it, the database neither returns nor stores envelopes. */
  readonly EDGE_TOKEN?: string;
  /** Machine token of the scope `monitor`, for the health monitor that the cron runs. */
  readonly MONITOR_TOKEN?: string;
  /** Machine token of the scope `rewrap`. Set it only while envelopes move to a new master key, for at most a week. */
  readonly REWRAP_TOKEN?: string;
  /** Ed25519 seed, base64 of 32 bytes. It signs the heads of audit chains. Optional. */
  readonly AUDIT_SIGNING_KEY?: string;
  /** Public keys of former audit keys, separated by commas, so that their checkpoints can still be verified. */
  readonly AUDIT_PUBLIC_KEYS?: string;
  /** `true`: key changes require a second factor. `private.settings` must have the same value. */
  readonly REQUIRE_AAL2?: string;
  /** Key changes require a sign-in that is not older. `private.settings` must have the same value. */
  readonly MAX_SIGN_IN_AGE_SECONDS?: string;
  /** URLs of EVM nodes by chain id, for POST /bots/{id}/rpc: a JSON object, or the list `1=https://…,8453=https://…`. */
  readonly RPC_URLS?: string;
  /** The highest fee that eth_sendTransaction fills in, by chain id: wei for each unit of gas, in the form of RPC_URLS. */
  readonly RPC_FEE_CAPS?: string;
  /** Exact origins of web pages that may read responses (CORS), separated by commas. */
  readonly ALLOWED_ORIGINS?: string;
  /** Where to report a vulnerability: `mailto:` or `https:` URIs, separated by commas. */
  readonly SECURITY_CONTACT?: string;
  /** The rate limits below, in the form of the `RateLimit-Policy` header. */
  readonly RATE_LIMIT_POLICY?: string;
  /** `development` adds the `Server-Timing` header to responses, and allows `http:` to this machine in RPC_URLS. */
  readonly ENVIRONMENT?: string;
  /** The files of `public/`, if the runtime serves them separately from the Worker. */
  readonly ASSETS?: Files;
}

/** `[assets]` of wrangler.toml. */
export interface Files {
  fetch(url: URL): Promise<Response>;
}

/** A rate limiter of the Workers runtime. Other runtimes do not have it, so nothing is limited there. */
export interface RateLimiter {
  limit(options: { readonly key: string }): Promise<{ readonly success: boolean }>;
}

/** `[[ratelimits]]` of wrangler.toml. */
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
  /** `undefined` if the setting is neither `true` nor `false`. */
  readonly requireAal2: boolean | undefined;
  /** `undefined` for no limit, `NaN` if the setting is not a number of seconds. */
  readonly maxSignInAgeSeconds: number | undefined;
  /** `undefined` if the setting is malformed, empty if it is not set. */
  readonly rpcUrls: ReadonlyMap<string, URL> | undefined;
  /** `undefined` if the setting is malformed, empty if it is not set. */
  readonly rpcFeeCaps: ReadonlyMap<string, bigint> | undefined;
  readonly allowedOrigins: ReadonlySet<string>;
  readonly securityContacts: readonly string[];
  readonly rateLimitPolicy: string;
  readonly isDevelopment: boolean;
}

export function readSettings(env: Bindings): Settings {
  const isDevelopment = text(env.ENVIRONMENT) === 'development';
  return {
    supabaseUrl: projectUrl(text(env.SUPABASE_URL)),
    publishableKey: headerValue(text(env.SUPABASE_PUBLISHABLE_KEY)),
    jwtSecret: secret(env.SUPABASE_JWT_SECRET),
    // An object is a binding. It is read later, because reading it is asynchronous and can fail.
    encryptionKey: (typeof env.ENCRYPTION_KEY === 'object' && env.ENCRYPTION_KEY) || text(env.ENCRYPTION_KEY),
    edgeToken: text(env.EDGE_TOKEN) || undefined,
    monitorToken: text(env.MONITOR_TOKEN) || undefined,
    rewrapToken: text(env.REWRAP_TOKEN) || undefined,
    auditSigningKey: text(env.AUDIT_SIGNING_KEY),
    auditPublicKeys: text(env.AUDIT_PUBLIC_KEYS),
    requireAal2: trueOrFalse(text(env.REQUIRE_AAL2) || 'false'),
    maxSignInAgeSeconds: positive(text(env.MAX_SIGN_IN_AGE_SECONDS)),
    rpcUrls: readRpcUrls(text(env.RPC_URLS), isDevelopment),
    rpcFeeCaps: readFeeCaps(text(env.RPC_FEE_CAPS)),
    allowedOrigins: origins(text(env.ALLOWED_ORIGINS)),
    securityContacts: contacts(text(env.SECURITY_CONTACT)),
    rateLimitPolicy: text(env.RATE_LIMIT_POLICY),
    isDevelopment,
  };
}

/** Replaces a value that is not a text. It is malformed for every setting. An empty text would mean "not set". */
const NOT_A_TEXT = '\0';

/**
 * A setting as text. `[vars]` of wrangler.toml can also contain numbers, booleans and objects, and a value of an unexpected
 * type must not stop the Worker.
 */
function text(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'object' ? NOT_A_TEXT : String(value).trim();
}

function secret(value: unknown): string | undefined {
  const read = text(value);
  return read === '' || read === NOT_A_TEXT ? undefined : read;
}

const WHOLE_NUMBER = /^\d{1,9}$/;
const wholeNumber = (digits: string) => (WHOLE_NUMBER.test(digits) ? Number(digits) : Number.NaN);

/** `NaN` also for 0, because then every sign-in would be too old. `private.settings` rejects 0 too. */
function positive(digits: string): number | undefined {
  return digits === '' ? undefined : wholeNumber(digits) || Number.NaN;
}

function trueOrFalse(word: string): boolean | undefined {
  const lower = word.toLowerCase();
  return lower === 'true' || lower === 'false' ? lower === 'true' : undefined;
}

/** Visible ASCII, which `fetch` accepts as the value of a header. */
function headerValue(value: string): string | undefined {
  return /^[\x21-\x7e]+$/.test(value) ? value : undefined;
}

/** Scheme, host and port, as a browser sends them. Anything else, such as `*` and `null`, allows no origin. */
function origins(list: string): ReadonlySet<string> {
  const named = list.split(',').map((origin) => origin.trim());
  return new Set(named.filter((origin) => httpUrl(origin)?.origin === origin));
}

/** `Contact` of RFC 9116. */
function contacts(list: string): readonly string[] {
  return list.split(',').flatMap((contact) => {
    const url = URL.parse(contact.trim());
    const isContact =
      url?.protocol === 'https:'
        ? !url.username && !url.password
        : url?.protocol === 'mailto:' && /@/.test(url.pathname);
    return url && isContact ? url.href : [];
  });
}

function httpUrl(text: string): URL | undefined {
  const url = URL.parse(text);
  return url && (url.protocol === 'https:' || url.protocol === 'http:') ? url : undefined;
}

/** A URL to which paths can be appended. `fetch` rejects a URL with a user or a password. */
function projectUrl(text: string): URL | undefined {
  const url = httpUrl(text.replace(/\/+$/, ''));
  return url && !url.username && !url.password && !url.search && !url.hash ? url : undefined;
}
