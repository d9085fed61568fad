/**
 * What a screen reader hears of an answer in the making: whole sentences as they are ready, and how it ended. A region
 * that spoke at each token would stammer.
 */
export class Speech {
  /** Characters said so far. */
  #said = 0;

  /** @param region an element with role "status" */
  constructor(readonly region: HTMLElement) {}

  begin(): void {
    this.#said = 0;
    this.region.textContent = 'Writing.';
  }

  /** @param text all of the answer that is there */
  hear(text: string): void {
    const ready = /^.*[.!?](?=\s)/s.exec(text.slice(this.#said))?.[0];
    if (ready) this.#say(ready, '');
  }

  end(text: string, how: string): void {
    this.#say(text.slice(this.#said), how);
  }

  #say(text: string, how: string): void {
    this.#said += text.length;
    this.region.textContent = `${text.trim()} ${how}`.trim();
  }
}
