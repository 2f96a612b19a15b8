/** What a bot does, whatever its library is. */

export interface Account {
  /** The URL of `POST /bots/{id}/rpc`. */
  readonly url: string;
  /** The value of the header Authorization. */
  readonly authorization: string;
}

/** A bot with one unmodified library. Each method rejects with what the library reports. */
export interface Bot {
  readonly address: string;
  /** Waits for the receipt. */
  transfer(to: string, wei: bigint): Promise<void>;
  /** Returns the address of the contract. */
  deploy(): Promise<string>;
  transferToken(token: string, to: string, amount: bigint): Promise<void>;
  signTypedData(): Promise<string>;
  signMessage(text: string): Promise<string>;
}

/** Connects, and takes the first account. */
export type Connect = (account: Account) => Promise<Bot>;

/** A token of ERC-20 with `transfer`, `balanceOf` and the event. Its creator has a million. */
export const TOKEN = {
  abi: [
    'function transfer(address to, uint256 amount) returns (bool)',
    'function balanceOf(address owner) view returns (uint256)',
    'event Transfer(address indexed from, address indexed to, uint256 amount)',
  ],
  bytecode:
    '0x620f4240335560778060 0f5f395ff3 5f3560e01c 8063a9059cbb14602657 6370a0823114601b57 5f5ffd 5b600435545f5260205ff3 5b602435335481811060735781900333556004358054820190555f5260043533 7fddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef 60205fa360015f5260205ff3 5b5f5ffd'.replaceAll(
      ' ',
      '',
    ) as `0x${string}`,
};

export const TYPED_DATA = {
  domain: { name: 'Exchange', version: '1', chainId: 31_337 },
  types: {
    EIP712Domain: [
      { name: 'name', type: 'string' },
      { name: 'version', type: 'string' },
      { name: 'chainId', type: 'uint256' },
    ],
    Order: [
      { name: 'maker', type: 'address' },
      { name: 'amount', type: 'uint256' },
    ],
  },
  primaryType: 'Order',
  message: { maker: '0x70997970C51812dc3A010C7d01b50e0d17dc79C8', amount: '1000000000000000000000' },
} as const;
