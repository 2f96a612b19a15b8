export { canonicalAddress } from './address.ts';
export { CHAINS, type Chain } from './chain.ts';
export { isSignedBy } from './ed25519.ts';
export { KeyInputError, type KeyInputReason } from './input-error.ts';
export { type PrivateKey, type PrivateKeyInput, parsePrivateKey } from './private-key.ts';
export { SigningError, signAs } from './sign.ts';
export { wipe } from './wipe.ts';
