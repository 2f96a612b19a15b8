/** How JSON of a request is stored: as text that PostgreSQL can hold, and in the size that it has there. */

/** Text without U+0000 and without halves of surrogate pairs, neither of which PostgreSQL can hold. */
export const isStorableText = (text: string): boolean => text.isWellFormed() && !text.includes('\0');

/** A number as `JSON.stringify` writes a very large or a very small one: `-1.5e-7`. */
const WITH_EXPONENT = /^(-?)\d(?:\.(\d+))?e([+-])(\d+)$/;

/**
 * The size of compact JSON with its numbers written out, in bytes. PostgreSQL writes every digit of a number, so that
 * the six characters of `1e-300` take 302 there.
 */
export function storedBytes(value: unknown): number {
  const text = JSON.stringify(value, (_, member: unknown) =>
    // As a text of the same length, quotation marks included.
    typeof member === 'number' && WITH_EXPONENT.test(String(member))
      ? '0'.repeat(lengthWrittenOut(member) - 2)
      : member,
  );
  return new TextEncoder().encode(text).length;
}

function lengthWrittenOut(number: number): number {
  const [, sign = '', fraction = '', direction, exponent] = WITH_EXPONENT.exec(String(number)) ?? [];
  const shift = Number(exponent);
  // 1.5e+22 has 23 digits; 1.5e-7 is "0.", six zeros and two digits.
  return sign.length + (direction === '+' ? shift + 1 : shift + 2 + fraction.length);
}
