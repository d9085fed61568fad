/**
 * A plot of instructions by tokens as SVG, both axes logarithmic, with the limits as dashed lines. Reads on light and
 * dark ground.
 */

export interface Line {
  name: string;
  points: [tokens: number, instructions: number][];
}

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [720, 420, 60, 200, 40, 40];
const COLOURS = ['#2f7ed8', '#c4502b', '#3a9a5b'];
const GROUND = '#888';

export function growthPlot(
  title: string,
  lines: readonly Line[],
  limits: readonly { name: string; value: number }[],
): string {
  const points = lines.flatMap((line) => line.points);
  const values = points.map(([, instructions]) => instructions);
  const bounds = {
    left: 1,
    right: Math.max(...points.map(([tokens]) => tokens)),
    bottom: 10 ** Math.floor(Math.log10(Math.min(...values))),
    top: 10 ** Math.ceil(Math.log10(Math.max(...values))),
  };
  const x = (tokens: number): number =>
    LEFT + (Math.log(tokens / bounds.left) / Math.log(bounds.right / bounds.left)) * (WIDTH - LEFT - RIGHT);
  const y = (instructions: number): number =>
    HEIGHT -
    BOTTOM -
    (Math.log(instructions / bounds.bottom) / Math.log(bounds.top / bounds.bottom)) * (HEIGHT - TOP - BOTTOM);
  const text = (px: number, py: number, content: string, more = ''): string =>
    `<text x="${px.toFixed(1)}" y="${py.toFixed(1)}" fill="${GROUND}" ${more}>${content}</text>`;
  const rule = (from: [number, number], to: [number, number], more: string): string =>
    `<line x1="${from[0].toFixed(1)}" y1="${from[1].toFixed(1)}" x2="${to[0].toFixed(1)}" y2="${to[1].toFixed(1)}" ${more}/>`;

  const parts: string[] = [text(LEFT, 22, title, 'font-weight="bold"')];
  for (let n = 1; n <= bounds.right; n *= 2) {
    parts.push(rule([x(n), TOP], [x(n), HEIGHT - BOTTOM], `stroke="${GROUND}" stroke-opacity="0.2"`));
    parts.push(text(x(n), HEIGHT - BOTTOM + 18, String(n), 'text-anchor="middle"'));
  }
  for (let n = bounds.bottom; n <= bounds.top; n *= 10) {
    parts.push(rule([LEFT, y(n)], [WIDTH - RIGHT, y(n)], `stroke="${GROUND}" stroke-opacity="0.2"`));
    parts.push(text(LEFT - 6, y(n) + 4, n >= 1e9 ? `${n / 1e9} B` : `${n / 1e6} M`, 'text-anchor="end"'));
  }
  for (const { name, value } of limits) {
    if (value > bounds.top) continue;
    parts.push(rule([LEFT, y(value)], [WIDTH - RIGHT, y(value)], `stroke="${GROUND}" stroke-dasharray="5 4"`));
    parts.push(text(LEFT + 6, y(value) - 4, name));
  }
  lines.forEach(({ name, points }, i) => {
    const path = points.map(([tokens, n]) => `${x(tokens).toFixed(1)},${y(n).toFixed(1)}`).join(' ');
    parts.push(`<polyline points="${path}" fill="none" stroke="${COLOURS[i]}" stroke-width="2"/>`);
    const [, lastY] = points.at(-1)!;
    parts.push(`<text x="${WIDTH - RIGHT + 8}" y="${(y(lastY) + 4).toFixed(1)}" fill="${COLOURS[i]}">${name}</text>`);
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">\n${parts.join('\n')}\n</svg>\n`;
}
