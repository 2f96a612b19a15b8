import type { z } from 'zod';
import { log } from '../log.ts';
import { Problem } from '../problem.ts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export interface CallName {
  /** The database function. */
  readonly name: string;
  readonly requestId: string | undefined;
}

/**
 * Validates a result and returns only the members that its schema names. An item of a page that is invalid is omitted and
 * logged: one invalid row, which only a superuser can store, must not hide the other rows.
 *
 * @throws {Problem} database_unavailable if anything else is invalid
 */
export function parseResult<Schema extends z.ZodType>(
  schema: Schema,
  data: unknown,
  call: CallName,
): z.infer<Schema> {
  const parsed = schema.safeParse(data);
  if (parsed.success) return parsed.data;
  if (isPage(data)) {
    const bad = new Set(parsed.error.issues.map(itemOf));
    const rest = { ...data, items: data.items.filter((_, index) => !bad.has(index)) };
    const again = schema.safeParse(rest);
    if (again.success) {
      for (const index of bad) report(data.items[index ?? 0], call);
      return again.data;
    }
  }
  throw new Problem('database_unavailable');
}

interface PageOfAnything {
  readonly items: readonly unknown[];
}

function isPage(data: unknown): data is PageOfAnything {
  return typeof data === 'object' && data !== null && 'items' in data && Array.isArray(data.items);
}

/** The index of the invalid item. `undefined` if the issue is not about an item. */
function itemOf({ path: [member, index] }: z.core.$ZodIssue): number | undefined {
  return member === 'items' && typeof index === 'number' ? index : undefined;
}

/** Logs only the id of the item, if it has one. An invalid item may contain anything. */
function report(item: unknown, { name, requestId }: CallName): void {
  const id = typeof item === 'object' && item !== null && 'id' in item ? item.id : undefined;
  log({
    event: 'item_left_out',
    level: 'error',
    request_id: requestId,
    function: name,
    item_id: typeof id === 'string' && UUID.test(id) ? id : null,
  });
}
