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
  /** Machine token of the scope `monitor`, for the health monitor that the cron runs. */
  readonly MONITOR_TOKEN?: string;
  /** Machine token of the scope `rewrap`: set while a new master key takes over, for a week at most. */
  readonly REWRAP_TOKEN?: string;
  /** Ed25519 seed, base64 of 32 bytes: signs the heads of audit chains. Optional. */
  readonly AUDIT_SIGNING_KEY?: string;
  /** Public halves of former audit keys, separated by commas: what they signed stays verifiable. */
  readonly AUDIT_PUBLIC_KEYS?: string;
  /** After how many seconds without a heartbeat the monitor calls a bot late. 120. */
  readonly HEARTBEAT_LIMIT_SECONDS?: string;
  /** After how many days the monitor calls a key old. 90. */
  readonly KEY_AGE_LIMIT_DAYS?: string;
  /** `development` lets answers tell how long they took (`Server-Timing`); production does not say. */
  readonly ENVIRONMENT?: string;
}

export interface Settings {
  readonly supabaseUrl: URL | undefined;
  readonly publishableKey: string | undefined;
  readonly jwtSecret: string | undefined;
  readonly encryptionKey: string | SecretBinding | undefined;
  readonly monitorToken: string | undefined;
  readonly rewrapToken: string | undefined;
  readonly auditSigningKey: string | undefined;
  readonly auditPublicKeys: string | undefined;
  /** `NaN` where what is set is no whole number. */
  readonly heartbeatLimitSeconds: number;
  readonly keyAgeLimitDays: number;
  readonly isDevelopment: boolean;
}

export function readSettings(env: Bindings): Settings {
  return {
    supabaseUrl: httpUrl(env.SUPABASE_URL),
    publishableKey: env.SUPABASE_PUBLISHABLE_KEY?.trim() || undefined,
    jwtSecret: env.SUPABASE_JWT_SECRET?.trim() || undefined,
    encryptionKey: env.ENCRYPTION_KEY,
    monitorToken: env.MONITOR_TOKEN?.trim() || undefined,
    rewrapToken: env.REWRAP_TOKEN?.trim() || undefined,
    auditSigningKey: env.AUDIT_SIGNING_KEY,
    auditPublicKeys: env.AUDIT_PUBLIC_KEYS,
    heartbeatLimitSeconds: wholeNumber(env.HEARTBEAT_LIMIT_SECONDS, 120),
    keyAgeLimitDays: wholeNumber(env.KEY_AGE_LIMIT_DAYS, 90),
    isDevelopment: env.ENVIRONMENT?.trim() === 'development',
  };
}

function wholeNumber(text: string | undefined, otherwise: number): number {
  const digits = text?.trim() || String(otherwise);
  return /^\d{1,9}$/.test(digits) ? Number(digits) : Number.NaN;
}

function httpUrl(text: string | undefined): URL | undefined {
  const url = URL.parse(text?.trim().replace(/\/+$/, '') ?? '');
  return url && (url.protocol === 'https:' || url.protocol === 'http:') ? url : undefined;
}
