/** A session of an account, as a client's own program gets one: by supabase-js, from the project's Auth server. */
import { createClient, type SupabaseClient } from '@supabase/supabase-js';

export interface Project {
  readonly supabaseUrl: string;
  readonly publishableKey: string;
}

export interface Session {
  /** What the API takes. */
  readonly token: string;
  /** The database as the account sees it. */
  readonly supabase: SupabaseClient;
}

export async function signIn(
  { supabaseUrl, publishableKey }: Project,
  { email, password }: { readonly email: string; readonly password: string },
): Promise<Session> {
  const supabase = createClient(supabaseUrl, publishableKey, {
    auth: { persistSession: false, autoRefreshToken: false },
  });
  const { data, error } = await supabase.auth.signInWithPassword({ email, password });
  if (error) throw new Error(`${email} cannot sign in: ${error.status}`);
  return { token: data.session.access_token, supabase };
}
