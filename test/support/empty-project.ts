import type { Bindings } from '../../src/env.ts';
import { settings } from './api.ts';
import { newProject } from './people.ts';

let url: Promise<string> | undefined;

/** Settings of a project that is ready: the shared database has envelopes under the master keys of all tests. */
export async function emptyProject(): Promise<Bindings> {
  url ??= newProject().then(({ supabaseUrl }) => supabaseUrl);
  return { ...settings(), SUPABASE_URL: await url };
}
