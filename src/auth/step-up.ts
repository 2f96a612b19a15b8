import type { RequiredSignIn } from '../database/connect.ts';
import type { Settings } from '../env.ts';
import { Problem, stepUpChallenge } from '../problem.ts';
import type { Session } from './verify-token.ts';

/** @throws {Problem} step_up_settings_malformed: no key is changed, and no caller is told to sign in another way */
export function requiredSignIn({ requireAal2, maxSignInAgeSeconds }: Settings): RequiredSignIn {
  if (requireAal2 === undefined || Number.isNaN(maxSignInAgeSeconds)) {
    throw new Problem('step_up_settings_malformed');
  }
  return { requireAal2, maxSignInAgeSeconds };
}

/**
 * Whether a session may change keys: with a second factor, and with a recent sign-in, where the settings require it.
 * The database requires the same of sessions that call it directly: `private.settings`.
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
