/** The service with `ROUTES` additional routes, which are created at the first request. */
import { createRoute, z } from '@hono/zod-openapi';
import { createApp } from '../../../src/app.ts';
import type { Bindings } from '../../../src/env.ts';
import { responses } from '../../../src/openapi/route.ts';

let app: ReturnType<typeof createApp> | undefined;

function build(routes: number): ReturnType<typeof createApp> {
  const built = createApp();
  for (let n = 0; n < routes; n++) {
    const route = createRoute({
      method: 'get',
      path: `/more/{id}/thing-${n}`,
      request: { params: z.object({ id: z.string() }) },
      responses: responses(200, z.object({ id: z.string() }).openapi(`Thing${n}`)),
    });
    built.openapi(route, (c) => c.json({ id: c.req.valid('param').id }, 200));
  }
  return built;
}

export default {
  fetch(request: Request, env: Bindings & { readonly ROUTES: string }) {
    app ??= build(Number(env.ROUTES));
    return app.fetch(request, env);
  },
};
