import type { RpcBot, RunnerDatabase } from '../../database/as-runner.ts';
import { Problem } from '../../problem.ts';
import type { KeyringSource } from '../sealing.ts';
import type { Nodes } from './node.ts';

/** What one HTTP request brings. */
export interface Caller {
  readonly database: RunnerDatabase;
  readonly keyring: KeyringSource;
  readonly botId: string;
  /** `?chain_id=`. */
  readonly chainId: string | undefined;
  readonly nodes: Nodes;
}

/** The bot and the chain of all items of an HTTP request, each read at most once. */
export class Session {
  readonly #caller: Caller;
  #bot: Promise<RpcBot> | undefined;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** Checks the token too. @throws {Problem} */
  bot(): Promise<RpcBot> {
    this.#bot ??= this.#caller.database.getRpcBot(this.#caller.botId);
    return this.#bot;
  }

  /** The addresses of the EVM wallets that have a key. @throws {Problem} */
  async accounts(): Promise<string[]> {
    const { wallets } = await this.bot();
    return wallets
      .filter(({ chain, key_id }) => chain === 'evm' && key_id !== null)
      .map(({ address }) => address);
  }

  /** The chain of requests that name none. @throws {Problem} rpc_chain_unknown */
  async chain(): Promise<string> {
    const { chainId, nodes } = this.#caller;
    if (chainId !== undefined) return chainId;
    const [only, another] = (await this.bot()).chain_ids ?? [];
    const chain = (another === undefined ? only : undefined) ?? nodes.onlyChain;
    if (chain === undefined) throw new Problem('rpc_chain_unknown');
    return chain;
  }
}
