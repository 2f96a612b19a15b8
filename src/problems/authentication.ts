import type { ProblemTexts } from './problem-text.ts';

/** Who the caller is, and whether the sign-in is strong enough. */
export const AUTHENTICATION_PROBLEMS = {
  authentication_required: [
    401,
    'The request has no Authorization header',
    'Send the header "Authorization: Bearer <token>": a Supabase access token, or a machine token (tk_…) for runner routes.',
  ],
  machine_token_required: [
    401,
    'This route needs a machine token, not a session',
    'Send a machine token (tk_…), which POST /bots/{id}/tokens issues.',
  ],
  session_required: [
    401,
    'This route needs a session, not a machine token',
    'Sign in with Supabase Auth and send the access token of the session.',
  ],
  sign_in_too_old: [
    401,
    'The last sign-in is too old for this request',
    'Sign in again and send the new access token. Refreshing the session is not enough. If the WWW-Authenticate header has max_age, it is the limit in seconds.',
  ],
  token_expired: [
    401,
    'The access token of the session has expired',
    'Refresh the session and send the new access token.',
  ],
  token_invalid: [
    401,
    'The token in the Authorization header is not valid',
    'Send "Authorization: Bearer <token>". Session: sign in again and send the new access token. Machine token: it is unknown, expired or revoked; issue another one by POST /bots/{id}/tokens.',
  ],
  oauth_token_rejected: [
    403,
    'The access token was issued to an OAuth client',
    'Sign in to this project and send the access token of that session. Tokens of the OAuth 2.1 server are not accepted.',
  ],
  second_factor_required: [
    403,
    'This request requires a second factor',
    'Verify a second factor in this session (Supabase Auth MFA) and send the new access token. Stopping a bot and revoking a key or token never require it.',
  ],
} as const satisfies ProblemTexts;
