import type { OpenAPIHono } from '@hono/zod-openapi';
import type { AppEnv } from '../app-env.ts';
import { ALWAYS, ANYONE, ENDING, KEY_CHANGE, RUNNER, SIGNING } from '../openapi/route.ts';
import type { Access } from './authenticate.ts';

const FOR_SESSIONS: Access = { who: 'session', rate: 'reads', stepUp: false, audited: false };
const FOR_ANYONE: Access = { who: 'anyone', rate: 'reads', stepUp: false, audited: false };
const UNLIMITED: Access = { ...FOR_ANYONE, rate: 'never' };

/**
 * Who may call each route, from `security` in its description. A route that says nothing, or something unknown, is for
 * sessions: a route is open to anyone only if it says so.
 */
export function accessTable(app: OpenAPIHono<AppEnv>): (path: string, method: string) => Access {
  const table = new Map<string, Access>([
    ['GET /openapi.json', FOR_ANYONE],
    ['GET /docs', FOR_ANYONE],
  ]);
  for (const definition of app.openAPIRegistry.definitions) {
    if (definition.type !== 'route') continue;
    const { method, path, security } = definition.route;
    const route = `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`;
    table.set(route, accessBy(security, method));
  }
  return (path, method) => table.get(`${method} ${path}`) ?? FOR_SESSIONS;
}

function accessBy(security: unknown, method: string): Access {
  switch (security) {
    case ALWAYS:
      return UNLIMITED;
    case ANYONE:
      return FOR_ANYONE;
    case SIGNING:
      return { who: 'runner', rate: 'signing', stepUp: false, audited: true };
    case RUNNER:
      return { who: 'runner', rate: 'reads', stepUp: false, audited: false };
    case KEY_CHANGE:
      return { who: 'session', rate: 'changes', stepUp: true, audited: true };
    case ENDING:
      return { who: 'session', rate: 'never', stepUp: false, audited: true };
    default:
      return { ...FOR_SESSIONS, rate: method === 'get' ? 'reads' : 'changes' };
  }
}
