/** The database API in a process that can be killed, in front of a PostgreSQL that keeps running. */
import { createSupabaseApi } from '../../tools/stack/supabase-api.ts';

const {
  DATABASE_URL = '',
  JWT_SECRET = '',
  PUBLISHABLE_KEY = '',
  PORT = '0',
  POOL_SIZE = '20',
} = process.env;
const api = createSupabaseApi({
  databaseUrl: DATABASE_URL,
  jwtSecret: JWT_SECRET,
  publishableKey: PUBLISHABLE_KEY,
  poolSize: Number(POOL_SIZE),
});
await api.prepare();
const port = await api.listen(Number(PORT));
process.once('disconnect', () => process.exit());
process.send?.({ port });
