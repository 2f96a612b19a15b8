/** What a route is held against: Hono and nothing else, and Hono that calls the database API once, also with a body. */
import { Hono } from 'hono';

const app = new Hono<{ Bindings: { SUPABASE_URL: string } }>();
app.get('/empty', (c) => c.json({ ok: true }));
app.get('/call', async (c) => {
  const answer = await fetch(`${c.env.SUPABASE_URL}/rest/v1/rpc/get_bot`, { method: 'POST', body: '{}' });
  return c.json((await answer.json()) as object);
});
app.put('/call', async (c) => {
  const body = JSON.stringify(await c.req.json());
  const answer = await fetch(`${c.env.SUPABASE_URL}/rest/v1/rpc/rotate_key`, { method: 'POST', body });
  return c.json((await answer.json()) as object);
});

export default app;
