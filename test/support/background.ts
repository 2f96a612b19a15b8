/** The execution context for work after the response; a test waits until that work has ended. */
export class Background {
  readonly props = {};
  readonly #work: Promise<unknown>[] = [];

  waitUntil(work: Promise<unknown>): void {
    this.#work.push(work);
  }
  passThroughOnException(): void {}

  async done(): Promise<void> {
    await Promise.all(this.#work);
  }
}
