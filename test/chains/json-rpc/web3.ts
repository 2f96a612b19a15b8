import { HttpProvider, Web3 } from 'web3';
import { type Connect, TOKEN, TYPED_DATA } from './client.ts';

const ABI = [
  {
    type: 'function',
    name: 'transfer',
    stateMutability: 'nonpayable',
    inputs: [
      { name: 'to', type: 'address' },
      { name: 'amount', type: 'uint256' },
    ],
    outputs: [{ type: 'bool' }],
  },
] as const;

export const web3: Connect = async ({ url, authorization }) => {
  const provider = new HttpProvider(url, { providerOptions: { headers: { authorization } } });
  const { eth } = new Web3(provider);
  const [address = ''] = await eth.getAccounts();
  return {
    address,
    async transfer(to, value) {
      await eth.sendTransaction({ from: address, to, value: value.toString() });
    },
    async deploy() {
      const contract = await new eth.Contract(ABI).deploy({ data: TOKEN.bytecode }).send({ from: address });
      return contract.options.address ?? '';
    },
    async transferToken(token, to, amount) {
      await new eth.Contract(ABI, token).methods.transfer?.(to, amount).send({ from: address });
    },
    signTypedData: () => eth.signTypedData(address, structuredClone(TYPED_DATA) as never),
    async signMessage(text) {
      return String(await eth.sign(Web3.utils.utf8ToHex(text), address));
    },
  };
};
