/** Lines for the canister's log, which keeps the last 4 KiB: who changed what, what failed. Never prompts or answers. */
export function log(line: string): void {
  console.log(line);
}
