/** Waiting that an AbortSignal ends. */

/** `promise`, or the signal's reason thrown if that comes first. What was begun goes on unheard. */
export async function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return await promise;
  let stop = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
    // an abort after the promise has lost its race, or won it, is nobody's unhandled rejection
    for (const loser of [promise, aborted]) loser.catch(() => {});
  }
}

export async function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const slept = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  await abortable(slept, signal).finally(() => clearTimeout(timer));
}
