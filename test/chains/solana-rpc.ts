/** The methods of a Solana node that bots call, over HTTP, on Solana's own runtime (litesvm). */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type Address,
  type Base64EncodedWireTransaction,
  getBase58Decoder,
  getBase64Encoder,
  getTransactionDecoder,
  lamports,
} from '@solana/kit';
import { FailedTransactionMetadata, LiteSVM } from 'litesvm';

export interface SolanaNode {
  readonly url: string;
  fund(address: string, amount: bigint): void;
  balanceOf(address: string): bigint;
  stop(): Promise<void>;
}

interface Call {
  readonly id: unknown;
  readonly method: string;
  readonly params?: readonly unknown[];
}

export async function startSolanaNode(): Promise<SolanaNode> {
  const chain = new LiteSVM();
  const executed = new Set<string>();
  const inContext = (value: unknown) => ({ context: { apiVersion: '3.0.0', slot: 1 }, value });

  const methods: Record<string, (params: readonly unknown[]) => unknown> = {
    getLatestBlockhash: () => inContext({ blockhash: chain.latestBlockhash(), lastValidBlockHeight: 1_000 }),
    sendTransaction([wire]) {
      const bytes = getBase64Encoder().encode(wire as Base64EncodedWireTransaction);
      const result = chain.sendTransaction(getTransactionDecoder().decode(bytes) as never);
      if (result instanceof FailedTransactionMetadata) throw new Error(String(result.err()));
      // Two transfers that are equal but for the blockhash are two transactions.
      chain.expireBlockhash();
      const signature = getBase58Decoder().decode(result.signature());
      executed.add(signature);
      return signature;
    },
    getSignatureStatuses: ([signatures]) =>
      inContext(
        (signatures as string[]).map((signature) =>
          executed.has(signature)
            ? {
                slot: 1,
                confirmations: null,
                err: null,
                status: { Ok: null },
                confirmationStatus: 'finalized',
              }
            : null,
        ),
      ),
  };

  function answer({ id, method, params = [] }: Call) {
    try {
      const handler = methods[method];
      if (!handler) return { jsonrpc: '2.0', id, error: { code: -32601, message: 'Method not found' } };
      return { jsonrpc: '2.0', id, result: handler(params) };
    } catch (error) {
      return { jsonrpc: '2.0', id, error: { code: -32002, message: String(error) } };
    }
  }

  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify(answer(JSON.parse(body))));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    fund: (address, amount) => void chain.airdrop(address as Address, lamports(amount)),
    balanceOf: (address) => chain.getBalance(address as Address) ?? 0n,
    async stop() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}
