import type { Bindings } from '../../src/env.ts';
import { settings } from './api.ts';
import { newProject } from './people.ts';

let url: Promise<string> | undefined;

/** Settings of a project that is ready: the shared database holds envelopes of every test's master key. */
export async function emptyProject(): Promise<Bindings> {
  url ??= newProject().then(({ supabaseUrl }) => supabaseUrl);
  return { ...settings(), SUPABASE_URL: await url };
}
