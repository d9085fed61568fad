/** The place below the answers where the page says what is wrong as a whole. */
export const notice = document.getElementById('model-notice')!;

export function fail(text: string): void {
  notice.classList.add('notice');
  notice.hidden = false;
  notice.textContent = text;
}
