/**
 * An instance of libsecp256k1, Bitcoin Core's library, compiled to WebAssembly by @bitauth/libauth. The loader of that package
 * is not used: it compiles bytes at run time, which Workers do not allow, and it does not wipe the stack.
 *
 * Secrets exist in the linear memory only during a call: in the buffer of `withSecret`, and on the library's stack, which is
 * part of that memory.
 */
import compiled from '#keys/secp256k1.wasm';

/** What the Emscripten build expects, in bytes: libauth's `instantiateSecp256k1WasmBytes` has the same numbers. */
const PAGES = 256;
const HEAP_END = 68_736; // the address that holds the end of the heap
const STACK = 68_752;
const HEAP = STACK + 5 * 1024 * 1024;

/** The part of the stack that is wiped. Calls with a secret use less than 2 KiB of it: test/keys/linear-memory measures it. */
const STACK_IN_USE = 16 * 1024;

/** The flags of a context that signs, and of one that verifies. */
const SIGN = 0x201;
const VERIFY = 0x101;

interface Exports {
  _malloc(bytes: number): number;
  _secp256k1_context_create(flags: number): number;
  _secp256k1_context_randomize(context: number, seed: number): number;
  _secp256k1_ec_seckey_verify(context: number, secret: number): number;
  _secp256k1_ec_pubkey_create(context: number, point: number, secret: number): number;
  _secp256k1_ec_pubkey_serialize(
    context: number,
    bytes: number,
    length: number,
    point: number,
    flags: number,
  ): number;
  _secp256k1_ecdsa_sign_recoverable(
    context: number,
    signature: number,
    digest: number,
    secret: number,
    nonceFunction: number,
    nonceData: number,
  ): number;
  _secp256k1_ecdsa_recoverable_signature_serialize_compact(
    context: number,
    bytes: number,
    recoveryId: number,
    signature: number,
  ): number;
  _secp256k1_ecdsa_recoverable_signature_parse_compact(
    context: number,
    signature: number,
    bytes: number,
    recoveryId: number,
  ): number;
  _secp256k1_ecdsa_recover(context: number, point: number, signature: number, digest: number): number;
}

export class Library {
  readonly call: Exports;
  /** Signs, and derives points. */
  readonly context: number;
  #verifying: number | undefined;
  /** The linear memory. Its size is fixed, so this view stays valid. */
  readonly memory: Uint8Array;
  readonly #secret: number;

  constructor() {
    const memory = new WebAssembly.Memory({ initial: PAGES, maximum: PAGES });
    this.memory = new Uint8Array(memory.buffer);
    new DataView(memory.buffer).setUint32(HEAP_END, HEAP, true);
    const env = {
      memory,
      table: new WebAssembly.Table({ element: 'anyfunc', initial: 6, maximum: 6 }),
      tableBase: 0,
      DYNAMICTOP_PTR: HEAP_END,
      STACKTOP: STACK,
      abort,
      _abort: abort,
      enlargeMemory: abort,
      abortOnCannotGrowMemory: abort,
      getTotalMemory: () => memory.buffer.byteLength,
      ___setErrNo: () => {},
      _emscripten_memcpy_big: (to: number, from: number, bytes: number) => {
        this.memory.copyWithin(to, from, from + bytes);
        return to;
      },
    };
    this.call = new WebAssembly.Instance(compiled, { env }).exports as unknown as Exports;
    this.context = this.call._secp256k1_context_create(SIGN);
    this.#secret = this.allocate(32);
    // Blinds the multiplication of the base point against side channels, by random numbers that stay in the context.
    const seed = crypto.getRandomValues(new Uint8Array(32));
    this.withSecret(seed, (address) => this.call._secp256k1_context_randomize(this.context, address));
    seed.fill(0);
  }

  /**
   * Verifies. It is made when it is first used, because it computes a table that takes many times as long as all of the
   * instance, and a key that comes in does not need it. No secret is used with it, so it is not blinded.
   */
  get verifying(): number {
    this.#verifying ??= this.call._secp256k1_context_create(VERIFY);
    return this.#verifying;
  }

  /** Whether `verifying` exists. */
  get verifies(): boolean {
    return this.#verifying !== undefined;
  }

  /** Memory that is never freed. Its address is never 0, because `abort` throws if no memory is left. */
  allocate(bytes: number): number {
    return this.call._malloc(bytes);
  }

  /** Copies 32 bytes. Fewer would leave bytes of an earlier call, and more would overwrite their neighbours. */
  put(bytes: Uint8Array, address: number): void {
    if (bytes.length !== 32) throw new TypeError('not 32 bytes');
    this.memory.set(bytes, address);
  }

  /** Calls `use` with the address of a copy of the secret. Wipes the copy and the stack, also if `use` throws. */
  withSecret<T>(secret: Uint8Array, use: (address: number) => T): T {
    try {
      this.put(secret, this.#secret);
      return use(this.#secret);
    } finally {
      this.memory.fill(0, this.#secret, this.#secret + 32);
      this.memory.fill(0, STACK, STACK + STACK_IN_USE);
    }
  }
}

/** The library calls this if an argument is illegal, which is a programming mistake. */
function abort(): never {
  throw new TypeError('libsecp256k1 aborted');
}
