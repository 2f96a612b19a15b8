/** Signs in to an account as the program of a client does: with supabase-js, at the Auth server of the project. */
import { createClient, type SupabaseClient } from '@supabase/supabase-js';

export interface Project {
  readonly supabaseUrl: string;
  readonly publishableKey: string;
}

export interface Session {
  /** The access token, for the API. */
  readonly token: string;
  /** A client of the REST API with this session. */
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
  if (error) throw new Error(`The sign-in of ${email} failed: ${error.status}`);
  return { token: data.session.access_token, supabase };
}
