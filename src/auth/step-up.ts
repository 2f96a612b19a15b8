import type { RequiredSignIn } from '../database/connect.ts';
import type { Settings } from '../env.ts';
import { Problem, stepUpChallenge } from '../problem.ts';
import type { Session } from './verify-token.ts';

/** @throws {Problem} step_up_settings_malformed: key changes are rejected until the operator fixes the settings */
export function requiredSignIn({ requireAal2, maxSignInAgeSeconds }: Settings): RequiredSignIn {
  if (requireAal2 === undefined || Number.isNaN(maxSignInAgeSeconds)) {
    throw new Problem('step_up_settings_malformed');
  }
  return { requireAal2, maxSignInAgeSeconds };
}

/**
 * Rejects a key change if the settings require a second factor or a recent sign-in, and the session does not have it. The
 * database requires the same of sessions that call the REST API directly: `private.settings`.
 *
 * @throws {Problem} second_factor_required, sign_in_too_old, step_up_settings_malformed
 */
export function requireStepUp({ aal, signedInAt }: Session, settings: Settings, now = Date.now()): void {
  const { requireAal2, maxSignInAgeSeconds } = requiredSignIn(settings);
  const headers = { 'www-authenticate': stepUpChallenge({ requireAal2, maxSignInAgeSeconds }) };
  if (requireAal2 && aal !== 'aal2') throw new Problem('second_factor_required', [], headers);
  if (maxSignInAgeSeconds === undefined) return;
  if (signedInAt === undefined || signedInAt < now / 1000 - maxSignInAgeSeconds) {
    throw new Problem('sign_in_too_old', [], headers);
  }
}
