import { z } from '@hono/zod-openapi';
import { CHAINS } from '../keys/index.ts';
import { closedObject, Id, Time } from './common.ts';

export const Chain = z.enum(CHAINS).openapi('Chain');

const SEND = 'send a text, or the JSON array of solana-keygen';
/** What callers send in place of a private key, and what to send. */
const OTHER_FORMS: readonly (readonly [(input: unknown) => boolean, string])[] = [
  [(input) => typeof input === 'number', `a JSON number, which JSON readers round: ${SEND}`],
  [(input) => typeof input === 'string', 'a text of more than 1,024 characters, which no private key has'],
  [(input) => Array.isArray(input), 'a list that is not one of at most 128 numbers from 0 to 255'],
  [
    (input) => typeof input === 'object' && input !== null,
    `a keystore or another JSON object: decrypt it with its password, and ${SEND}`,
  ],
  [() => true, SEND],
];

/** `keys/` checks the form and the value, with a problem code for each fault. */
export const PrivateKeyText = z
  .union([z.string().max(1024), z.array(z.int().min(0).max(255)).max(128)], {
    error: ({ input }) => OTHER_FORMS.find(([isForm]) => isForm(input))?.[1],
  })
  .openapi('PrivateKey', {
    description:
      'EVM: 64 hex digits, with or without 0x. Solana: base58 of 64 bytes, or of a 32-byte seed if `address` is present, or the JSON array of solana-keygen. No response contains it.',
    format: 'password',
    writeOnly: true,
  });
export const Address = z.string().max(128).openapi({ example: '0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf' });

const keyFields = {
  address: Address.optional().openapi({
    description:
      'The address follows from the private key. If `address` is present, it must be that address.',
  }),
  private_key: PrivateKeyText.optional(),
  chain: Chain.optional().openapi({
    description:
      'The chain family follows from the private key. If `chain` is present, it must be that family.',
  }),
};

export const WalletRequest = closedObject(keyFields).openapi('WalletRequest', {
  description: "A wallet to add. Without a private key it uses the client's trading key.",
});
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
        "`trading`: the wallet uses the client's trading key. `own`: it has a key of its own. Null: its key was deleted.",
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
    version: z.int().openapi({ description: 'The number of trading keys that the client has had so far.' }),
    master_key_id: z
      .string()
      .openapi({ description: 'RFC 7638 thumbprint of the master key that encrypted the trading key.' }),
    created_at: Time,
    rotated_at: Time,
    age_seconds: z.int(),
  })
  .openapi('TradingKey');

export const Rotation = TradingKey.extend({
  wallets_updated: z.int(),
  wallets_merged: z.int().openapi({
    description:
      'The number of wallets that were removed because their bot would have had the same address twice.',
  }),
  bots_stopped: z.int().openapi({
    description:
      'The number of bots that were stopped because they belong to another chain family than the new key.',
  }),
}).openapi('Rotation');

export const Revocation = z
  .object({
    client_id: Id,
    address: z.string(),
    key_id: Id,
    revoked_at: Time,
    bots_stopped: z.int(),
    wallets_cleared: z.int(),
    tokens_ended: z.array(Id).openapi({
      description:
        'The ids of the machine tokens that ended for this client. A token that also signs for bots of another client continues for those bots only.',
    }),
  })
  .openapi('Revocation');

export const MasterKeyStatus = z
  .object({
    id: z.string().openapi({ description: 'RFC 7638 thumbprint of the master key.' }),
    role: z.enum(['primary', 'open', 'missing']).openapi({
      description:
        '`primary`: encrypts and decrypts. `open`: decrypts only. `missing`: not in ENCRYPTION_KEY, so that nothing decrypts what it encrypted.',
    }),
    trading_keys: z.int().openapi({ description: 'The number of trading keys that it encrypted.' }),
    copies: z
      .int()
      .openapi({ description: 'The number of wallets with a copy of the trading key that it encrypted.' }),
    own_keys: z
      .int()
      .openapi({ description: 'The number of wallets with a key of their own that it encrypted.' }),
    envelopes: z.int().openapi({
      description: 'The sum of the three. A master key with 0 can be removed from ENCRYPTION_KEY.',
    }),
  })
  .openapi('MasterKeyStatus');

export const KeysStatus = z
  .object({
    master_keys: z
      .array(MasterKeyStatus)
      .openapi({ description: 'The master keys in ENCRYPTION_KEY in their order, then the missing ones.' }),
    to_rewrap: z
      .int()
      .openapi({ description: 'The number of ciphertexts of master keys that only decrypt.' }),
    unopenable: z.int().openapi({ description: 'The number of ciphertexts of missing master keys.' }),
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
