import type { MonitorLimits } from '../database/as-monitor.ts';
import type { Settings } from '../env.ts';
import { isMachineToken } from '../machine-token.ts';
import { Problem } from '../problem.ts';

/** What the monitor needs of the settings; whether the token is in force is for the database to say. @throws {Problem} */
export function monitorSettings(settings: Settings): MonitorLimits & { readonly token: string } {
  const { monitorToken: token, heartbeatLimitSeconds, keyAgeLimitDays } = settings;
  if (token === undefined) throw new Problem('monitor_token_missing');
  if (!isMachineToken(token)) throw new Problem('monitor_token_malformed');
  if (!within(heartbeatLimitSeconds, 86_400) || !within(keyAgeLimitDays, 36_500)) {
    throw new Problem('monitor_limits_malformed');
  }
  return { token, heartbeatLimitSeconds, keyAgeLimitDays };
}

const within = (value: number, most: number) => value >= 1 && value <= most;
