// The system calls that several files of native code make. Of those that Azle's code is led through here, these are the
// Internet Computer's own. Source: interface specification, "System API".

// @ts-ignore: AssemblyScript's decorator
@external('ic0real', 'call_new')
export declare function callNew(callee: usize, calleeBytes: usize, name: usize, nameBytes: usize, reply: u32, replyEnv: u32, reject: u32, rejectEnv: u32): void;

// @ts-ignore: AssemblyScript's decorator
@external('ic0real', 'call_on_cleanup')
export declare function callOnCleanup(cleanup: u32, env: u32): void;

// @ts-ignore: AssemblyScript's decorator
@external('ic0', 'call_data_append')
export declare function callDataAppend(source: usize, bytes: usize): void;

// @ts-ignore: AssemblyScript's decorator
@external('ic0', 'call_perform')
export declare function callPerform(): i32;

// @ts-ignore: AssemblyScript's decorator
@external('ic0', 'msg_reply')
export declare function msgReply(): void;

// @ts-ignore: AssemblyScript's decorator
@external('ic0', 'time')
export declare function time(): u64;
