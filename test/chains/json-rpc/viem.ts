import { createWalletClient, http, parseAbi, publicActions } from 'viem';
import { anvil as chain } from 'viem/chains';
import { type Connect, TOKEN, TYPED_DATA } from './client.ts';

const abi = parseAbi(TOKEN.abi as ['function transfer(address to, uint256 amount) returns (bool)']);
type Address = `0x${string}`;

export const viem: Connect = async ({ url, authorization }) => {
  const transport = http(url, { fetchOptions: { headers: { authorization } } });
  const options = { chain, transport, pollingInterval: 50 };
  const [address = '0x'] = await createWalletClient(options).getAddresses();
  const wallet = createWalletClient({ ...options, account: address }).extend(publicActions);
  const receiptOf = (hash: Address) => wallet.waitForTransactionReceipt({ hash });
  return {
    address,
    async transfer(to, value) {
      await receiptOf(await wallet.sendTransaction({ to: to as Address, value }));
    },
    async deploy() {
      const { contractAddress } = await receiptOf(
        await wallet.deployContract({ abi, bytecode: TOKEN.bytecode }),
      );
      return contractAddress ?? '';
    },
    async transferToken(token, to, amount) {
      const call = {
        abi,
        address: token as Address,
        functionName: 'transfer',
        args: [to as Address, amount],
      } as const;
      await receiptOf(await wallet.writeContract(call));
    },
    signTypedData: () => wallet.signTypedData(TYPED_DATA as never),
    signMessage: (message) => wallet.signMessage({ message }),
  };
};
