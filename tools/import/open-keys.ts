/** From tokens to private keys, each checked to be that of its address. */
import {
  canonicalAddress,
  KeyInputError,
  type PrivateKey,
  parsePrivateKey,
  wipe,
} from '../../src/keys/index.ts';
import { FernetError, type FernetKey, openFernet } from './fernet.ts';
import type { OldClient, OldKey } from './old-clients.ts';
import type { RefusedReason } from './outcome.ts';

/** Each active key of a client, or why it is none. Whoever asked calls `wipe` when done. */
export class OpenedKeys {
  readonly #byRow = new Map<OldKey, PrivateKey | RefusedReason>();

  constructor(client: OldClient, fernetKeys: readonly FernetKey[]) {
    try {
      for (const row of [client.keys, ...client.bots.map((bot) => bot.wallets)].flat()) {
        if (row.active && row.token !== null) this.#byRow.set(row, openKey(row, row.token, fernetKeys));
      }
    } catch (error) {
      this.wipe(); // nobody else could
      throw error;
    }
  }

  of(row: OldKey): PrivateKey | RefusedReason {
    return this.#byRow.get(row) ?? 'token_malformed';
  }

  /** The addresses of all keys, which are no secret. */
  get addresses(): string[] {
    return [...this.#byRow.values()].flatMap((key) => (typeof key === 'string' ? [] : key.address));
  }

  wipe(): void {
    for (const key of this.#byRow.values()) if (typeof key !== 'string') wipe(key.secret);
  }
}

/** Nothing of a token or a key leaves this but a reason: what is caught is not passed on. */
function openKey(row: OldKey, token: string, fernetKeys: readonly FernetKey[]): PrivateKey | RefusedReason {
  if (row.addressKnown && row.address === null) return 'address_missing';
  let text: Uint8Array | undefined;
  try {
    text = openFernet(token, fernetKeys);
    // The one moment in which a key is a string, which cannot be wiped: parsing and deriving need one.
    const privateKey = new TextDecoder().decode(text);
    return parsePrivateKey({ privateKey, address: row.address ?? undefined });
  } catch (error) {
    if (error instanceof FernetError || error instanceof KeyInputError) return error.reason;
    throw new TypeError('a key could not be read, for no reason that is known');
  } finally {
    if (text) wipe(text);
  }
}

/** An address as it is told from others, if it is one. */
export function addressOf(row: OldKey): string | undefined {
  try {
    return row.address === null ? undefined : canonicalAddress(row.address).address;
  } catch {
    return undefined;
  }
}
