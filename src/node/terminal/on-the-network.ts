/**
 * How long an answer takes on the Internet Computer, derived from the instructions of its messages. The assumptions
 * stand in docs/deploy.md: a quiet subnet, rounds of about a second, a call from outside carried out 1 to 2 s after it
 * was sent.
 */

/** Instructions of one canister in one round; and of one message in it: a longer one goes on in the next round. */
export const ROUND = 7_000_000_000;
export const SLICE = 2_000_000_000;

/** @param messages instructions of each, in their order; each is sent by the one before, to the canister itself */
export function roundsOf(messages: readonly number[]): number {
  let rounds = 1;
  let used = 0;
  for (const instructions of messages) {
    const slices = Math.max(1, Math.ceil(instructions / SLICE));
    const last = instructions - (slices - 1) * SLICE;
    // a message that does not end in one slice has its round to itself, and so has each of its slices
    const fits = slices === 1 && used + instructions <= ROUND;
    if (!fits && used > 0) rounds++;
    if (!fits) rounds += slices - 1;
    used = fits ? used + instructions : last;
  }
  return rounds;
}

export function onTheNetwork(messages: readonly number[]): string {
  const rounds = roundsOf(messages);
  const inRounds = rounds === 1 ? 'all messages fit one round' : `${rounds} rounds of messages`;
  return `some ${rounds} to ${rounds + 1} s on a quiet subnet: ${inRounds}`;
}
