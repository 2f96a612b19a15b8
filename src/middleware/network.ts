/**
 * The network by which requests are counted. For IPv4 it is the address. For IPv6 it is the first 64 bits, because one
 * customer of a provider usually has 2^64 addresses.
 */
export function networkOf(address = ''): string {
  const text = address.trim().toLowerCase();
  const v4 = /^(?:::ffff:)?(\d{1,3}(?:\.\d{1,3}){3})$/.exec(text)?.[1];
  if (v4 !== undefined) return v4;
  if (!/^[0-9a-f:.]+$/.test(text) || !text.includes(':')) return 'unknown';
  const [head = '', tail] = text.split('::');
  const groups = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  // An IPv4 address at the end takes the place of two groups.
  const taken = groups.length + after.length + (text.includes('.') ? 1 : 0);
  const all = tail === undefined ? groups : [...groups, ...Array(Math.max(0, 8 - taken)).fill('0'), ...after];
  return `${all
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}
