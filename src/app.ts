/** The whole service: middleware in its order, the routes, and the error handler. */
import { methodNotAllowed } from 'hono/method-not-allowed';
import { requestId } from 'hono/request-id';
import { authenticate } from './auth/authenticate.ts';
import { limitBody } from './middleware/body.ts';
import { allowOrigins, securityHeaders } from './middleware/browser.ts';
import { handleError, respondWithProblem } from './middleware/handle-error.ts';
import { logRequests } from './middleware/log-requests.ts';
import { noStore } from './middleware/no-store.ts';
import { findRoute } from './middleware/route.ts';
import { serveDescription, serveDocs } from './openapi/description.ts';
import { newRouter } from './openapi/route.ts';
import { Problem } from './problem.ts';
import { audit } from './routes/audit.ts';
import { health } from './routes/bot-health.ts';
import { bots } from './routes/bots.ts';
import { clientBots } from './routes/client-bots.ts';
import { clientKey } from './routes/client-key.ts';
import { clients } from './routes/clients.ts';
import { service } from './routes/health.ts';
import { keys } from './routes/keys.ts';
import { policies } from './routes/policies.ts';
import { rpc } from './routes/rpc.ts';
import { runner } from './routes/runner.ts';
import { SECURITY_TXT, serveSecurityTxt } from './routes/security-txt.ts';
import { sign } from './routes/sign.ts';
import { tokens } from './routes/tokens.ts';
import { runtimeFor } from './runtime.ts';
import type { TimeLimits } from './time-limits.ts';

export function createApp(limits?: TimeLimits) {
  const app = newRouter();
  app.onError(handleError);
  app.notFound((c) => respondWithProblem(c, new Problem('route_not_found')));

  // Too short for 32 bytes in any encoding: a private key or token that is sent as a request id is not accepted and logged.
  app.use(requestId({ limitLength: 36 }), logRequests, securityHeaders, noStore);
  app.use(
    findRoute(app, {
      'GET /openapi.json': 'anyone',
      'GET /docs': 'anyone',
      [`GET ${SECURITY_TXT}`]: 'anyone',
    }),
  );
  app.use(async (c, next) => {
    c.set('runtime', runtimeFor(c.env, limits));
    await next();
  });
  app.use(allowOrigins);
  app.use(
    methodNotAllowed({
      app,
      onMethodNotAllowed: (c, methods) =>
        respondWithProblem(c, new Problem('method_not_allowed'), { allow: methods.join(', ') }),
    }),
  );
  // In this order, so that the body of a rejected or rate-limited caller is never read.
  app.use(authenticate, limitBody);

  app.route('/', service);
  app.route('/', clients);
  app.route('/', clientBots);
  app.route('/', clientKey);
  app.route('/', keys);
  app.route('/', bots);
  app.route('/', health);
  app.route('/', policies);
  app.route('/', tokens);
  app.route('/', sign);
  app.route('/', rpc);
  app.route('/', runner);
  app.route('/', audit);

  app.get('/openapi.json', serveDescription(app));
  app.get('/docs', serveDocs);
  app.get(SECURITY_TXT, serveSecurityTxt);
  return app;
}
