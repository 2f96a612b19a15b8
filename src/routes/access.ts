import type { OpenAPIHono } from '@hono/zod-openapi';
import type { AppEnv } from '../app-env.ts';
import type { Access } from '../middleware/authenticate.ts';
import { ANYONE, RUNNER } from './openapi.ts';

/**
 * Who may ask for what, from what the routes say of themselves: `security` in their description. A route that says
 * nothing, or something unknown, is for sessions: to be open to anyone has to be said. Paths that no route has are
 * for sessions too below the first word of a route that is.
 */
export function accessTable(app: OpenAPIHono<AppEnv>): (path: string, method?: string) => Access {
  const table = new Map<string, Access>([['GET /openapi.json', 'anyone']]);
  const guarded = new Set<string>();
  for (const definition of app.openAPIRegistry.definitions) {
    if (definition.type !== 'route') continue;
    const { method, path, security } = definition.route;
    const access = security === ANYONE ? 'anyone' : security === RUNNER ? 'runner' : 'session';
    table.set(`${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`, access);
    if (access !== 'anyone') guarded.add(firstWord(path));
  }
  return (path, method) => {
    if (method !== undefined) return table.get(`${method} ${path}`) ?? 'session';
    return guarded.has(firstWord(path)) ? 'session' : 'anyone';
  };
}

const firstWord = (path: string) => path.split('/')[1] ?? '';
