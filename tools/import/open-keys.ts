/** Opens the tokens of the old database, and checks that each private key belongs to its address. */
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

/** Each active key of a client, or the reason why it could not be opened. The caller must call `wipe` at the end. */
export class OpenedKeys {
  readonly #byRow = new Map<OldKey, PrivateKey | RefusedReason>();

  constructor(client: OldClient, fernetKeys: readonly FernetKey[]) {
    try {
      for (const row of [client.keys, ...client.bots.map((bot) => bot.wallets)].flat()) {
        if (row.active && row.token !== null) this.#byRow.set(row, openKey(row, row.token, fernetKeys));
      }
    } catch (error) {
      this.wipe(); // the caller has no object on which it could call wipe
      throw error;
    }
  }

  of(row: OldKey): PrivateKey | RefusedReason {
    return this.#byRow.get(row) ?? 'token_malformed';
  }

  /** The addresses of all keys. They are not secret. */
  get addresses(): string[] {
    return [...this.#byRow.values()].flatMap((key) => (typeof key === 'string' ? [] : key.address));
  }

  wipe(): void {
    for (const key of this.#byRow.values()) if (typeof key !== 'string') wipe(key.secret);
  }
}

/** Returns the key or a reason. Caught errors are not passed on, because they could contain parts of a token or a key. */
function openKey(row: OldKey, token: string, fernetKeys: readonly FernetKey[]): PrivateKey | RefusedReason {
  if (row.addressKnown && row.address === null) return 'address_missing';
  let text: Uint8Array | undefined;
  try {
    text = openFernet(token, fernetKeys);
    // Only here the key is a string, which cannot be wiped. Parsing the key and deriving its address need a string.
    const privateKey = new TextDecoder().decode(text);
    return parsePrivateKey({ privateKey, address: row.address ?? undefined });
  } catch (error) {
    if (error instanceof FernetError || error instanceof KeyInputError) return error.reason;
    throw new TypeError('a key could not be read, for an unknown reason');
  } finally {
    if (text) wipe(text);
  }
}

/** The address of a row in canonical form, or undefined if it is not an address. */
export function addressOf(row: OldKey): string | undefined {
  try {
    return row.address === null ? undefined : canonicalAddress(row.address).address;
  } catch {
    return undefined;
  }
}
