/** Settings that have one value for each EVM chain: `{"1": "…"}` in JSON, or the list `1=…,8453=…`. */

/** Decimal, without leading zeros. Long enough for every chain id that can be signed. */
export const CHAIN_ID = /^[1-9]\d{0,15}$/;

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/**
 * The URLs of nodes. `http:` is allowed only to this machine, and only in development. A URL with a user or a password is
 * malformed, because `fetch` rejects it. Returns `undefined` if the setting is malformed.
 */
export function readRpcUrls(setting: string, isDevelopment: boolean): ReadonlyMap<string, URL> | undefined {
  return byChain(setting, (text) => {
    const url = URL.parse(text);
    if (!url || url.username || url.password || url.hash) return undefined;
    const allowed = url.protocol === 'https:' || (isDevelopment && isHttpToThisMachine(url));
    return allowed ? url : undefined;
  });
}

const isHttpToThisMachine = ({ protocol, hostname }: URL) => protocol === 'http:' && LOOPBACK.test(hostname);

/** Wei for each unit of gas. Returns `undefined` if the setting is malformed. */
export function readFeeCaps(setting: string): ReadonlyMap<string, bigint> | undefined {
  return byChain(setting, (text) => (/^[1-9]\d{0,29}$/.test(text) ? BigInt(text) : undefined));
}

function byChain<Value>(
  setting: string,
  read: (text: string) => Value | undefined,
): ReadonlyMap<string, Value> | undefined {
  const values = new Map<string, Value>();
  if (setting === '') return values;
  for (const [chainId, text] of setting.startsWith('{') ? membersOf(setting) : itemsOf(setting)) {
    const value = typeof text === 'string' ? read(text.trim()) : undefined;
    if (!CHAIN_ID.test(chainId) || value === undefined || values.has(chainId)) return undefined;
    values.set(chainId, value);
  }
  return values.size > 0 ? values : undefined;
}

/** No member if it is not an object, which makes the setting malformed. */
function membersOf(setting: string): [chainId: string, value: unknown][] {
  try {
    return Object.entries(JSON.parse(setting));
  } catch {
    return [];
  }
}

function itemsOf(list: string): [chainId: string, value: string][] {
  return list.split(',').map((item) => {
    const [chainId = '', ...value] = item.split('=');
    return [chainId.trim(), value.join('=')];
  });
}
