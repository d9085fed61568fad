/** Ten bars, one for each digit. */
export class Bars {
  readonly #items: { item: HTMLLIElement; fill: HTMLElement; share: HTMLElement }[];

  constructor(list: HTMLElement) {
    this.#items = Array.from({ length: 10 }, (_, digit) => {
      const item = document.createElement('li');
      const [name, bar, fill, share] = ['span', 'span', 'i', 'span'].map((tag) => document.createElement(tag)) as [
        HTMLElement,
        HTMLElement,
        HTMLElement,
        HTMLElement,
      ];
      name.textContent = String(digit);
      bar.className = 'bar';
      bar.append(fill);
      share.className = 'share';
      item.append(name, bar, share);
      list.append(item);
      return { item, fill, share };
    });
  }

  /** Nothing drawn: no probabilities. */
  show(probabilities: readonly number[] | undefined): void {
    const best = probabilities ? likeliest(probabilities) : -1;
    this.#items.forEach(({ item, fill, share }, digit) => {
      const p = probabilities?.[digit];
      item.className = digit === best ? 'likeliest' : '';
      fill.style.transform = `scaleX(${p ?? 0})`;
      share.textContent = p === undefined ? '' : percent(p);
    });
  }
}

export const likeliest = (probabilities: readonly number[]): number =>
  probabilities.reduce((best, p, i) => (p > probabilities[best]! ? i : best), 0);

export const percent = (p: number): string => `${(p * 100).toFixed(p < 0.1 ? 1 : 0)}%`;
