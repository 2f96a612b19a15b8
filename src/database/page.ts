export interface Page {
  readonly limit: number;
  readonly cursor?: string | undefined;
}

/** As the functions that list things take a page. */
export function pageArguments({ limit, cursor }: Page) {
  return { page_size: limit, ...(cursor !== undefined && { after: cursor }) };
}
