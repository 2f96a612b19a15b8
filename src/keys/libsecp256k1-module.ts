/**
 * The WebAssembly module of libsecp256k1 for Node and Deno, which compile it from its text. Workers do not allow that: they
 * import the compiled module in place of this file (`#keys/secp256k1.wasm`, see "imports" in package.json).
 */
import { secp256k1Base64Bytes } from '@bitauth/libauth/build/lib/bin/secp256k1/secp256k1.base64.js';
import { base64 } from '@scure/base';

export default new WebAssembly.Module(new Uint8Array(base64.decode(secp256k1Base64Bytes)));
