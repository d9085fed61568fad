/** What a drawing becomes: MNIST's box, centre and pen, whatever size and place one draws at. */
import { nodeUnit } from 'stepwise-tensor/node';
import { describe, expect, it } from 'vitest';
import { digits } from '../net.ts';
import { imageOf, SIZE, type Stroke } from '../page/digit.ts';
import { samples } from '../page/samples.ts';
import { likeliest } from './held-out.ts';

const moved = (strokes: readonly Stroke[], scale: number, dx: number, dy: number): Stroke[] =>
  strokes.map((stroke) => stroke.map(({ x, y }) => ({ x: x * scale + dx, y: y * scale + dy })));

/** Rows and columns with ink, and the centre of mass. */
function shape(pixels: Uint8Array) {
  const inked = Array.from(pixels, (v, i) => ({ v, x: i % SIZE, y: Math.floor(i / SIZE) })).filter(({ v }) => v > 0);
  const sum = inked.reduce((s, { v }) => s + v, 0);
  const extent = (of: number[]): number => Math.max(...of) - Math.min(...of) + 1;
  return {
    width: extent(inked.map(({ x }) => x)),
    height: extent(inked.map(({ y }) => y)),
    x: inked.reduce((s, { v, x }) => s + v * (x + 0.5), 0) / sum,
    y: inked.reduce((s, { v, y }) => s + v * (y + 0.5), 0) / sum,
  };
}

describe('imageOf', () => {
  it.each(samples.map((strokes, digit) => ({ digit, strokes })))(
    'puts a $digit into the box, in the middle',
    ({ strokes }) => {
      const { width, height, x, y } = shape(imageOf(strokes)!);
      // half a pixel of each edge may fall on a pixel of its own
      expect(Math.max(width, height)).toBeGreaterThanOrEqual(20);
      expect(Math.max(width, height)).toBeLessThanOrEqual(22);
      expect(Math.abs(x - 14)).toBeLessThan(0.1);
      expect(Math.abs(y - 14)).toBeLessThan(0.1);
    },
  );

  it('is the same whatever size and place one draws at', () => {
    for (const strokes of samples) {
      const [here, there] = [imageOf(strokes)!, imageOf(moved(strokes, 0.4, 0.55, -0.1))!];
      here.forEach((v, i) => {
        expect(Math.abs(v - there[i]!)).toBeLessThanOrEqual(1);
      });
    }
  });

  it('is nothing of nothing, a dot of a dot, a line of a line', () => {
    expect(imageOf([])).toBeUndefined();
    const dot = shape(imageOf([[{ x: 0.9, y: 0.1 }]])!);
    expect([dot.width, dot.height]).toEqual([4, 4]);
    expect(dot.x).toBeCloseTo(14, 6);
    const line = shape(
      imageOf([
        [
          { x: 0.5, y: 0 },
          { x: 0.5, y: 1 },
        ],
      ])!,
    );
    expect([line.width, line.height]).toEqual([4, 20]);
  });

  it('takes strokes of very many points, past the edges too', () => {
    const long = Array.from({ length: 200_000 }, (_, i) => ({
      x: 0.5 + Math.cos(i / 30_000),
      y: 0.5 + Math.sin(i / 30_000),
    }));
    expect(shape(imageOf([long])!).height).toBeGreaterThanOrEqual(20);
  });
});

it('the page has a sample of each digit, which the net reads', () => {
  const net = digits(nodeUnit());
  const read = samples.map((strokes) => net.run(imageOf(strokes)!));
  expect(read.map(likeliest)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  for (const [digit, p] of read.entries()) expect(p[digit], `${digit}`).toBeGreaterThan(0.6);
});
