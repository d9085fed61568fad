/** The canvas that one draws on: pointers in, strokes out. Coordinates are of a paper whose sides are 1. */
import type { Point, Stroke } from './digit.ts';

/** The pen's width, of the paper. */
const PEN = 0.075;

export class Paper {
  strokes: Point[][] = [];
  readonly #canvas: HTMLCanvasElement;
  readonly #changed: (isDone: boolean) => void;
  /** The pointer that draws: of several fingers the first. */
  #pointer: number | undefined;

  /** @param changed called for each new point, and with `true` at the end of a stroke */
  constructor(canvas: HTMLCanvasElement, changed: (isDone: boolean) => void) {
    this.#canvas = canvas;
    this.#changed = changed;
    canvas.addEventListener('pointerdown', (event) => this.#down(event));
    canvas.addEventListener('pointermove', (event) => this.#move(event));
    for (const end of ['pointerup', 'pointercancel'] as const) canvas.addEventListener(end, (event) => this.#up(event));
    new ResizeObserver(() => this.draw()).observe(canvas);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.draw());
  }

  show(strokes: readonly Stroke[]): void {
    this.#pointer = undefined;
    this.strokes = strokes.map((stroke) => [...stroke]);
    this.draw();
    this.#changed(true);
  }

  draw(): void {
    const canvas = this.#canvas;
    const pixels = Math.round(canvas.clientWidth * devicePixelRatio);
    if (pixels === 0) return;
    [canvas.width, canvas.height] = [pixels, pixels];
    const context = canvas.getContext('2d')!;
    Object.assign(context, { lineWidth: PEN * pixels, lineCap: 'round', lineJoin: 'round' });
    context.strokeStyle = getComputedStyle(canvas).color;
    for (const stroke of this.strokes) {
      context.beginPath();
      for (const { x, y } of stroke) context.lineTo(x * pixels, y * pixels);
      if (stroke.length === 1) context.lineTo(stroke[0]!.x * pixels, stroke[0]!.y * pixels);
      context.stroke();
    }
  }

  #down(event: PointerEvent): void {
    if (this.#pointer !== undefined || event.button !== 0) return;
    this.#pointer = event.pointerId;
    this.#canvas.setPointerCapture(event.pointerId);
    this.strokes.push([this.#pointOf(event)]);
    this.#draws(false);
  }

  #move(event: PointerEvent): void {
    if (event.pointerId !== this.#pointer) return;
    // between two frames a pointer may have been at several places
    const events = event.getCoalescedEvents?.() ?? [];
    for (const one of events.length > 0 ? events : [event]) this.strokes.at(-1)?.push(this.#pointOf(one));
    this.#draws(false);
  }

  #up(event: PointerEvent): void {
    if (event.pointerId !== this.#pointer) return;
    this.#pointer = undefined;
    this.#draws(true);
  }

  #draws(isDone: boolean): void {
    this.draw();
    this.#changed(isDone);
  }

  #pointOf({ clientX, clientY }: PointerEvent): Point {
    const { left, top, width, height } = this.#canvas.getBoundingClientRect();
    return { x: (clientX - left) / width, y: (clientY - top) / height };
  }
}
