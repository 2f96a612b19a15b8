import { Contract, ContractFactory, FetchRequest, JsonRpcProvider } from 'ethers';
import { type Connect, TOKEN, TYPED_DATA } from './client.ts';

export const ethers: Connect = async ({ url, authorization }) => {
  const connection = new FetchRequest(url);
  connection.setHeader('authorization', authorization);
  const provider = new JsonRpcProvider(connection, undefined, { polling: true, pollingInterval: 100 });
  const signer = await provider.getSigner();
  const { EIP712Domain: _, ...types } = TYPED_DATA.types;
  return {
    address: signer.address,
    async transfer(to, value) {
      await (await signer.sendTransaction({ to, value })).wait();
    },
    async deploy() {
      const contract = await new ContractFactory(TOKEN.abi, TOKEN.bytecode, signer).deploy();
      return (await contract.waitForDeployment()).getAddress();
    },
    async transferToken(token, to, amount) {
      const sent = await new Contract(token, TOKEN.abi, signer).getFunction('transfer')(to, amount);
      await sent.wait();
    },
    signTypedData: () =>
      signer.signTypedData(
        TYPED_DATA.domain,
        types as unknown as Record<string, { name: string; type: string }[]>,
        TYPED_DATA.message,
      ),
    signMessage: (text) => signer.signMessage(text),
  };
};
