/** A JSON-RPC server that a test controls. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface NodeCall {
  readonly id: unknown;
  readonly method: string;
  readonly params: readonly unknown[];
  readonly headers: IncomingMessage['headers'];
}
/** Returns the member `result` or `error` of the response, or writes the whole response by itself. */
export type Respond = (call: NodeCall, response: ServerResponse) => object | undefined;

export interface FakeNode {
  /** Part of a URL such as those of providers, which contain an API key. */
  readonly secret: string;
  readonly url: string;
  readonly calls: NodeCall[];
  respond: Respond;
  stop(): Promise<void>;
}

export async function startFakeNode(respond: Respond): Promise<FakeNode> {
  const secret = crypto.randomUUID().replaceAll('-', '');
  const server = createServer(async (incoming, response) => {
    let text = '';
    for await (const chunk of incoming) text += chunk;
    const call = { ...JSON.parse(text), headers: incoming.headers } as NodeCall;
    node.calls.push(call);
    const members = node.respond(call, response);
    if (!members) return;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ jsonrpc: '2.0', id: call.id, ...members }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const node: FakeNode = {
    secret,
    url: `http://127.0.0.1:${port}/v3/${secret}`,
    calls: [],
    respond,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return node;
}
