/** What has happened since the canister's code was installed or upgraded. */
export const counters = {
  tokens: 0,
  messages: 0,
  stop: 0,
  length: 0,
  cancelled: 0,
  failed: 0,
  stumbles: 0,
  revived: 0,
};
