import { z } from '@hono/zod-openapi';
import { CHAINS } from '../keys/index.ts';
import { closedObject, Id, Time } from './common.ts';

export const Chain = z.enum(CHAINS).openapi('Chain');

/** Form and meaning are checked by `keys/`, which has a code for each way to be wrong. */
export const PrivateKeyText = z
  .union([z.string().max(1024), z.array(z.int().min(0).max(255)).max(128)])
  .openapi({
    description:
      'EVM: 64 hex digits, with or without 0x. Solana: base58 of 64 bytes or of a 32-byte seed, or the JSON array of solana-keygen. Never answered.',
    format: 'password',
    writeOnly: true,
  });
export const Address = z.string().max(128).openapi({ example: '0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf' });

const keyFields = {
  address: Address.optional(),
  private_key: PrivateKeyText.optional(),
  chain: Chain.optional().openapi({ description: 'Follows from the key; if given, it has to fit.' }),
};

/** A wallet to add: with a private key, or without one to hold a copy of the client's trading key. */
export const WalletRequest = closedObject(keyFields).openapi('WalletRequest');
export const KeyFields = keyFields;

export const RotateRequest = closedObject({ ...keyFields, private_key: PrivateKeyText }).openapi(
  'RotateRequest',
);

export const Wallet = z
  .object({
    id: Id,
    address: z.string(),
    chain: Chain,
    key_source: z.enum(['trading', 'own']).nullable().openapi({
      description:
        "Which key the wallet holds: a copy of the client's trading key, or a key of its own. Null: no key is left.",
    }),
    key_id: Id.nullable(),
    created_at: Time,
  })
  .openapi('Wallet');

export const AddedWallet = Wallet.extend({ bot_id: Id, client_id: Id }).openapi('AddedWallet');

export const TradingKey = z
  .object({
    client_id: Id,
    address: z.string(),
    chain: Chain,
    key_id: Id,
    version: z.int().openapi({ description: 'Counts every trading key that the client ever had.' }),
    master_key_id: z
      .string()
      .openapi({ description: 'RFC 7638 thumbprint of the master key that sealed it.' }),
    created_at: Time,
    rotated_at: Time,
    age_seconds: z.int(),
  })
  .openapi('TradingKey');

export const Rotation = TradingKey.extend({
  wallets_updated: z.int(),
  wallets_merged: z
    .int()
    .openapi({ description: 'Wallets removed because their bot had the same address twice.' }),
  bots_stopped: z
    .int()
    .openapi({ description: 'Bots of another chain family, which cannot use the new key.' }),
}).openapi('Rotation');

export const Revocation = z
  .object({
    client_id: Id,
    address: z.string(),
    key_id: Id,
    revoked_at: Time,
    bots_stopped: z.int(),
    wallets_cleared: z.int(),
    tokens_ended: z
      .array(Id)
      .openapi({ description: 'Machine tokens that signed only for bots of this client.' }),
  })
  .openapi('Revocation');

export const MasterKeyStatus = z
  .object({
    id: z.string().openapi({ description: 'RFC 7638 thumbprint of the master key.' }),
    role: z.enum(['primary', 'open', 'missing']).openapi({
      description:
        'It seals and opens, it opens only, or it is not in ENCRYPTION_KEY: what it sealed opens for nobody.',
    }),
    trading_keys: z.int().openapi({ description: 'Envelopes of trading keys that it sealed.' }),
    copies: z.int().openapi({ description: 'Envelopes of wallets that hold a copy of the trading key.' }),
    own_keys: z.int().openapi({ description: 'Envelopes of wallets with a key of their own.' }),
    envelopes: z.int().openapi({ description: 'All of them. A master key with none may be dropped.' }),
  })
  .openapi('MasterKeyStatus');

export const KeysStatus = z
  .object({
    master_keys: z
      .array(MasterKeyStatus)
      .openapi({ description: 'Those in force in their order, then the missing.' }),
    to_rewrap: z.int().openapi({ description: 'Envelopes of master keys that open only.' }),
    unopenable: z.int().openapi({ description: 'Envelopes of master keys that are missing.' }),
  })
  .openapi('KeysStatus');

export type MasterKeyStatus = z.infer<typeof MasterKeyStatus>;
export type KeysStatus = z.infer<typeof KeysStatus>;
export type WalletRequest = z.infer<typeof WalletRequest>;
export type RotateRequest = z.infer<typeof RotateRequest>;
export type Wallet = z.infer<typeof Wallet>;
export type AddedWallet = z.infer<typeof AddedWallet>;
export type TradingKey = z.infer<typeof TradingKey>;
export type Rotation = z.infer<typeof Rotation>;
export type Revocation = z.infer<typeof Revocation>;
