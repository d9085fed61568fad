/**
 * Strokes as an image like MNIST's: scaled, with their shape kept, until they fill a box of 20 x 20 pixels, then moved
 * so that the centre of mass is the centre of 28 x 28. Source: LeCun, Cortes, Burges, "The MNIST database". Strokes are
 * lines here and no pixels, so the pen has the same width whatever size one draws at.
 */

export interface Point {
  x: number;
  y: number;
}
export type Stroke = readonly Point[];

export const SIZE = 28;
const BOX = 20;
/** Half of the pen's width, in pixels of the image: the digits of MNIST have lines of two pixels and a half. */
const PEN = 1.25;
/** A drawing that is smaller, of a paper 1 wide, is not scaled up further: a dot stays a dot. */
const SMALLEST = 0.12;

interface Segment {
  a: Point;
  b: Point;
}

/**
 * @param strokes of a paper whose sides are 1
 * @returns 28 x 28 grey values, row after row; none where nothing is drawn
 */
export function imageOf(strokes: readonly Stroke[]): Uint8Array<ArrayBuffer> | undefined {
  const points = strokes.flat();
  if (points.length === 0) return undefined;
  const [xs, ys] = [points.map(({ x }) => x), points.map(({ y }) => y)];
  const [left, right, top, bottom] = [least(xs), most(xs), least(ys), most(ys)];
  const scale = (BOX - 2 * PEN) / Math.max(right - left, bottom - top, SMALLEST);
  const [middleX, middleY] = [(left + right) / 2, (top + bottom) / 2];
  const place = (shift: Point): Segment[] =>
    strokes.flatMap((stroke) => {
      const placed = stroke.map(({ x, y }) => ({
        x: (x - middleX) * scale + SIZE / 2 + shift.x,
        y: (y - middleY) * scale + SIZE / 2 + shift.y,
      }));
      // a dot is a line from a point to itself
      return placed.map((a, i) => ({ a, b: placed[i + 1] ?? a }));
    });
  const centred = ink(place({ x: 0, y: 0 }));
  const { x, y } = centreOfMass(centred);
  return Uint8Array.from(ink(place({ x: SIZE / 2 - x, y: SIZE / 2 - y })), (v) => Math.round(v * 255));
}

// not Math.min(…numbers): a long drawing has more points than a call takes arguments
const least = (numbers: readonly number[]): number =>
  numbers.reduce((m, v) => Math.min(m, v), Number.POSITIVE_INFINITY);
const most = (numbers: readonly number[]): number => numbers.reduce((m, v) => Math.max(m, v), Number.NEGATIVE_INFINITY);

/** How much of each pixel the pen covers, 0 to 1: from its centre's distance to the nearest line. */
function ink(segments: readonly Segment[]): Float64Array {
  const values = new Float64Array(SIZE * SIZE);
  const reach = PEN + 0.5;
  for (const { a, b } of segments) {
    const [fromX, toX] = [pixel(Math.min(a.x, b.x) - reach), pixel(Math.max(a.x, b.x) + reach)];
    const [fromY, toY] = [pixel(Math.min(a.y, b.y) - reach), pixel(Math.max(a.y, b.y) + reach)];
    for (let y = fromY; y <= toY; y++) {
      for (let x = fromX; x <= toX; x++) {
        const covered = Math.min(1, Math.max(0, reach - distance({ x: x + 0.5, y: y + 0.5 }, a, b)));
        values[y * SIZE + x] = Math.max(values[y * SIZE + x]!, covered);
      }
    }
  }
  return values;
}

const pixel = (at: number): number => Math.min(SIZE - 1, Math.max(0, Math.floor(at)));

function distance(p: Point, a: Point, b: Point): number {
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  const length = dx * dx + dy * dy;
  const along = length === 0 ? 0 : Math.min(1, Math.max(0, ((p.x - a.x) * dx + (p.y - a.y) * dy) / length));
  return Math.hypot(p.x - a.x - along * dx, p.y - a.y - along * dy);
}

function centreOfMass(values: Float64Array): Point {
  let [sum, x, y] = [0, 0, 0];
  values.forEach((v, i) => {
    sum += v;
    x += v * ((i % SIZE) + 0.5);
    y += v * (Math.floor(i / SIZE) + 0.5);
  });
  return { x: x / sum, y: y / sum };
}
