/** What these tests need instead of a database: an Auth server that publishes keys, and a recorder that discards requests. */
import type { TestProject } from 'vitest/node';
import { startHostedProjects } from '../support/hosted-project.ts';

const NOWHERE = 'http://127.0.0.1:9';

export default async function setup(project: TestProject) {
  const jwtSecret = 'a-secret-for-access-tokens-of-a-sufficient-length';
  const hosted = await startHostedProjects({ supabaseUrl: NOWHERE, jwtSecret });
  project.provide('hostedUrl', hosted.url);
  project.provide('supabaseUrl', NOWHERE);
  project.provide('publishableKey', 'sb_publishable_x');
  project.provide('jwtSecret', jwtSecret);
  // Accepts every POST and stores nothing.
  project.provide('operatorUrl', 'data:,');
  return () => hosted.close();
}
