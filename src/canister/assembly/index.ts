// What is linked into the canister: the kernels' entry, and what stands around Azle's `generate`.
export { certified_data_set } from '../../tensor/assembly/index';
export { call_new, call_on_cleanup, relay_generate, relay_reply, relay_reply_index } from './relay';
