/** A new instance of the product's ECDSA, whose linear memory and calls of the library the test can read and replace. */
import { vi } from 'vitest';

const Real = WebAssembly.Instance;

type Calls = Record<string, (...numbers: number[]) => number>;

export interface Watched {
  readonly ecdsa: typeof import('../../src/keys/ecdsa.ts');
  /** The linear memory of the latest instance. */
  memory(): Buffer;
  /** The address where the library's stack begins: it grows upwards. */
  stack(): number;
  /** How many instances were made. */
  instances(): number;
}

/** `replace` returns functions to call in place of those of the library. */
export async function watched(
  replace: (library: Calls, memory: () => Buffer) => Calls = () => ({}),
): Promise<Watched> {
  vi.resetModules();
  const env: { memory: WebAssembly.Memory; STACKTOP: number }[] = [];
  const memory = () => Buffer.from(env.at(-1)?.memory.buffer ?? new ArrayBuffer(0));
  class Instance {
    readonly exports: Calls;

    constructor(module: WebAssembly.Module, imports: WebAssembly.Imports) {
      env.push(imports.env as unknown as (typeof env)[number]);
      const library = new Real(module, imports).exports as Calls;
      this.exports = { ...library, ...replace(library, memory) };
    }
  }
  vi.spyOn(WebAssembly, 'Instance').mockImplementation(Instance as unknown as typeof Real);
  const ecdsa = await import('../../src/keys/ecdsa.ts');
  return { ecdsa, memory, stack: () => env.at(-1)?.STACKTOP ?? 0, instances: () => env.length };
}

/** Where 8 neighbouring bytes of the secret are in the memory, in either order: a quarter of a key would be found. */
export function placesOf(secret: Uint8Array, memory: Buffer): number[] {
  const forward = Buffer.from(secret);
  return [forward, Buffer.from(forward).reverse()].flatMap((form) =>
    Array.from({ length: form.length - 7 }, (_, at) => memory.indexOf(form.subarray(at, at + 8))).filter(
      (place) => place >= 0,
    ),
  );
}
