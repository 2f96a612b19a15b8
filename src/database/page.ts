export interface Page {
  readonly limit: number;
  readonly cursor?: string | undefined;
}

/** The arguments of the database functions that return a page. */
export function pageArguments({ limit, cursor }: Page) {
  return { page_size: limit, ...(cursor !== undefined && { after: cursor }) };
}
