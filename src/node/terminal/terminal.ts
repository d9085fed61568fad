/** What looks different on a terminal than in a file: colours and the progress bar. */
import { SingleBar } from 'cli-progress';

/** Pale text on a terminal (unless NO_COLOR is set), plain text elsewhere. */
export function dim(text: string, stream: NodeJS.WriteStream): string {
  return stream.isTTY && !process.env.NO_COLOR ? `\x1b[2m${text}\x1b[22m` : text;
}

export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

export interface Progress {
  update(done: number): void;
  /** Call it whatever happened: it gives the cursor back. */
  stop(): void;
}

/** Progress of `total` bytes: a bar on a terminal, elsewhere a line at every quarter. */
export function showProgress(label: string, total: number, stream: NodeJS.WriteStream = process.stdout): Progress {
  if (!stream.isTTY) return progressLines(label, total, stream);
  const format = `${label} {bar} {percentage}% of ${megabytes(total)}`;
  const bar = new SingleBar({ format, stream, hideCursor: true, barCompleteChar: '█', barIncompleteChar: '░' });
  bar.start(total, 0);
  return { update: (done) => bar.update(done), stop: () => bar.stop() };
}

function progressLines(label: string, total: number, stream: NodeJS.WriteStream): Progress {
  let quarters = 0;
  return {
    update(done) {
      const reached = Math.floor((done / total) * 4);
      if (reached <= quarters) return;
      quarters = reached;
      stream.write(`${label} ${reached * 25}% of ${megabytes(total)}\n`);
    },
    stop() {},
  };
}
