/** The canonical form of what the API answers, for its hash: RFC 8785 (JCS) without a library. */

/**
 * Numbers have to be whole: those of an audit chain are, and whole numbers have one text in every language.
 *
 * @throws {TypeError} where a value has no canonical form
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw new TypeError('Half of a surrogate pair has no canonical form.');
    // RFC 8785, section 3.2.2.2: as ECMAScript writes it.
    return JSON.stringify(value);
  }
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) throw new TypeError('Not a whole number.');
    return String(value);
  }
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object') throw new TypeError('Not JSON.');
  const members = value as Record<string, unknown>;
  // Sorted by UTF-16 code units (section 3.2.3), which is how ECMAScript compares.
  const names = Object.keys(members).sort();
  return `{${names.map((name) => `${canonicalJson(name)}:${canonicalJson(members[name])}`).join(',')}}`;
}

/** SHA-256 of the canonical form, in hex. */
export async function canonicalHash(value: unknown): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(canonicalJson(value)));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
