/**
 * A digit of each kind as strokes, for whoever has no pointer. Arcs: centre, radii, from and to in turns, clockwise
 * from the right.
 */
import type { Point, Stroke } from './digit.ts';

const arc = (x: number, y: number, rx: number, ry: number, from: number, to: number): Point[] =>
  Array.from({ length: 25 }, (_, i) => {
    const turn = (from + ((to - from) * i) / 24) * 2 * Math.PI;
    return { x: x + rx * Math.cos(turn), y: y + ry * Math.sin(turn) };
  });
const line = (...numbers: number[]): Point[] =>
  Array.from({ length: numbers.length / 2 }, (_, i) => ({ x: numbers[2 * i]!, y: numbers[2 * i + 1]! }));

export const samples: readonly (readonly Stroke[])[] = [
  [arc(0.5, 0.5, 0.2, 0.3, -0.25, 0.75)],
  [line(0.54, 0.2, 0.48, 0.8)],
  [[...arc(0.5, 0.36, 0.17, 0.16, -0.45, 0.08), ...line(0.34, 0.78, 0.72, 0.78)]],
  [[...arc(0.48, 0.35, 0.17, 0.15, -0.42, 0.22), ...arc(0.48, 0.65, 0.2, 0.16, -0.22, 0.4)]],
  [line(0.38, 0.2, 0.32, 0.52, 0.7, 0.52), line(0.64, 0.22, 0.58, 0.82)],
  [[...line(0.68, 0.2, 0.4, 0.2, 0.37, 0.46), ...arc(0.48, 0.62, 0.19, 0.18, -0.36, 0.4)]],
  [[...line(0.6, 0.18, 0.42, 0.4), ...arc(0.49, 0.64, 0.16, 0.17, -0.45, 0.6)]],
  [line(0.3, 0.22, 0.7, 0.22, 0.44, 0.82)],
  [[...arc(0.5, 0.34, 0.14, 0.14, 0.25, -0.75), ...arc(0.5, 0.65, 0.17, 0.16, -0.25, 0.75)]],
  [[...arc(0.48, 0.36, 0.16, 0.16, 0, -1), ...line(0.64, 0.36, 0.6, 0.82)]],
];
