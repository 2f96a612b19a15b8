/** What a runtime gives an app for work that goes on after the answer; a test waits for it. */
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
