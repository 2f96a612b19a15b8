import type { Settings } from '../env.ts';
import { Problem, stepUpChallenge } from '../problem.ts';
import type { Session } from './verify-token.ts';

/**
 * Whether a session may change keys: with a second factor, and signed in lately, where the settings ask for it.
 * The database asks the same of who comes past the edge: `private.settings`.
 *
 * @throws {Problem} second_factor_required, sign_in_too_old
 */
export function requireStepUp(
  { aal, signedInAt }: Session,
  { requireAal2, maxSignInAgeSeconds }: Settings,
  now = Date.now(),
): void {
  const headers = { 'www-authenticate': stepUpChallenge({ requireAal2, maxSignInAgeSeconds }) };
  if (requireAal2 && aal !== 'aal2') throw new Problem('second_factor_required', [], headers);
  if (maxSignInAgeSeconds === undefined) return;
  if (signedInAt === undefined || signedInAt < now / 1000 - maxSignInAgeSeconds) {
    throw new Problem('sign_in_too_old', [], headers);
  }
}
