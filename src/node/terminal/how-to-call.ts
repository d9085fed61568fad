/** Command lines that call the canisters of a replica, complete as printed. */
export interface Served {
  url: string;
  /** The model's canister. */
  canisterId: string;
  /** The one of examples/caller. */
  caller: string;
}

/** @param prompt what the commands ask */
export function howToCall({ url, canisterId, caller }: Served, prompt: string): string {
  const ask = shellText(`(${candidText(prompt)})`);
  const { port } = new URL(url);
  return `The page, in a browser (the second address is for browsers that do not find the first):
  http://${canisterId}.localhost:${port}/
  ${url}/?canisterId=${canisterId}

From this project:
  npm run ask -- --network ${url} --canister ${canisterId} ${shellText(prompt)}

  npm run upload -- --network ${url} --canister ${canisterId} --identity build/start/identity.pem --model models/little-flan

With dfx:
  dfx canister call --network ${url} ${canisterId} generate ${ask}

With icp (on Linux x64 it is in node_modules/@icp-sdk/icp-cli-linux-x64/bin):
  icp canister call --network ${url} --root-key fetch ${canisterId} generate ${ask}

Through another canister, examples/caller, with either:
  dfx canister call --network ${url} ${caller} ask ${ask}
  icp canister call --network ${url} --root-key fetch ${caller} ask ${ask}

From JavaScript, with @dfinity/agent:
${script(url, canisterId, prompt)}`;
}

/** Between single quotes, where a shell takes all as it is but the quote. */
const shellText = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** A text of Candid: JSON's escapes but for \\u{…}. */
const candidText = (text: string): string =>
  JSON.stringify(text).replace(/\\u([0-9a-f]{4})|\\[bf]/g, (found, code?: string) =>
    code ? `\\u{${code}}` : found === '\\b' ? '\\u{8}' : '\\u{c}',
  );

const script = (url: string, canisterId: string, prompt: string): string => `node --input-type=module <<'END'
import { Actor, HttpAgent } from '@dfinity/agent';
const agent = await HttpAgent.create({ host: '${url}', shouldFetchRootKey: true });
const llm = Actor.createActor(({ IDL }) => {
  const Result = IDL.Variant({ Ok: IDL.Record({ text: IDL.Text }), Err: IDL.Reserved });
  return IDL.Service({ generate: IDL.Func([IDL.Text], [Result], []) });
}, { agent, canisterId: '${canisterId}' });
console.log(await llm.generate(${JSON.stringify(prompt)}));
END`;
