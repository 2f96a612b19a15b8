/** Hono and nothing else. */
import { Hono } from 'hono';

const app = new Hono();
app.get('/empty', (c) => c.json({ ok: true }));

export default app;
