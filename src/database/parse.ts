import type { z } from 'zod';
import { log } from '../log.ts';
import { Problem } from '../problem.ts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export interface AnsweredCall {
  /** The function that answered. */
  readonly name: string;
  readonly requestId: string | undefined;
}

/**
 * An answer, cut to its schema. An item of a page that does not fit its schema is left out and logged: one row, which
 * only a superuser can have stored, must not hide all the others.
 *
 * @throws {Problem} database_unavailable if anything else does not fit
 */
export function parseAnswer<Answer extends z.ZodType>(
  schema: Answer,
  data: unknown,
  call: AnsweredCall,
): z.infer<Answer> {
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

/** The index of the item that an issue is about, if it is about one. */
function itemOf({ path: [member, index] }: z.core.$ZodIssue): number | undefined {
  return member === 'items' && typeof index === 'number' ? index : undefined;
}

/** By its id alone, if it has one: an item that does not fit its schema may hold anything. */
function report(item: unknown, { name, requestId }: AnsweredCall): void {
  const id = typeof item === 'object' && item !== null && 'id' in item ? item.id : undefined;
  log({
    event: 'item_left_out',
    level: 'error',
    request_id: requestId,
    function: name,
    item_id: typeof id === 'string' && UUID.test(id) ? id : null,
  });
}
