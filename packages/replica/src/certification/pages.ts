/**
 * What a canister certifies of the pages it serves, worked out when it is built, since all of it is known then: the
 * hash tree below the label `http_expr` and the paths in it. A canister that certifies more adds it beside that label.
 * Of use to builds, not to the replica. Source: HTTP Gateway Protocol Specification, "Response Verification".
 */
import { encode } from './cbor.ts';
import { leb128 } from './hash-of-map.ts';
import { bytes, type HashTree, leaf, node, rootHash, sha256 } from './hash-tree.ts';

export type Header = [name: string, value: string];

export interface StaticResponse {
  status: number;
  headers: Header[];
  body: Uint8Array;
}

/**
 * What is certified of a path: all answers it can have, status and headers included; or nothing. `*`: of all paths that
 * are not named; `/a/*`: of `/a` and those below it that are not named.
 */
export type Pages = Record<string, StaticResponse[] | 'uncertified'>;

export interface HttpCertification {
  /** The subtree below `http_expr`, whole, so that it also shows which paths are not there. */
  tree: HashTree;
  rootHash: Uint8Array;
  /**
   * Of a canister that certifies its pages and nothing else: the certified data, and the tree of `IC-Certificate` in
   * CBOR.
   */
  certifiedData: Uint8Array;
  witness: Uint8Array;
  /** For each path of `Pages`: the value of the header `IC-CertificateExpression`, and `expr_path` in CBOR. */
  paths: Record<string, { expression: string; exprPath: Uint8Array }>;
}

const expressions = {
  uncertified: 'default_certification(ValidationArgs{no_certification:Empty{}})',
  certified:
    'default_certification(ValidationArgs{certification:Certification{no_request_certification:Empty{},' +
    'response_certification:ResponseCertification{response_header_exclusions:ResponseHeaderList{headers:[]}}}})',
};

export function certifyPages(pages: Pages): HttpCertification {
  const paths: HttpCertification['paths'] = {};
  const all = Object.entries(pages).map(([path, responses]): Certified => {
    const expression = responses === 'uncertified' ? expressions.uncertified : expressions.certified;
    const segments = path === '*' ? ['<*>'] : markedSegmentsOf(path);
    paths[path] = { expression, exprPath: encode(['http_expr', ...segments]) };
    const of = responses === 'uncertified' ? leaf('') : node([['', node(hashes(responses, expression))]]);
    return { segments, below: node([[sha256(bytes(expression)), of]]) };
  });
  const tree = treeOf(all, 0);
  const labelled: HashTree = [2, bytes('http_expr'), tree];
  return { tree, rootHash: rootHash(tree), certifiedData: rootHash(labelled), witness: encode(labelled), paths };
}

/** What is certified at the end of a path. */
interface Certified {
  /** The last one is a mark that no other has behind it. */
  segments: string[];
  below: HashTree;
}

/** The tree of paths that share what stands before segment number `at`. */
function treeOf(all: readonly Certified[], at: number): HashTree {
  const labels = [...new Set(all.map(({ segments }) => segments[at]!))];
  return node(
    labels.map((label): [string, HashTree] => {
      const inner = all.filter(({ segments }) => segments[at] === label);
      const [{ segments, below }] = inner as [Certified];
      return [label, segments.length === at + 1 ? below : treeOf(inner, at + 1)];
    }),
  );
}

/** @throws Error for what is no path */
function markedSegmentsOf(path: string): string[] {
  const [empty, ...segments] = path.split('/');
  if (empty !== '' || segments.length === 0) throw new Error(`pages: expected paths like / and /status, got ${path}`);
  return segments.at(-1) === '*' ? [...segments.slice(0, -1), '<*>'] : [...segments, '<$>'];
}

const hashes = (responses: StaticResponse[], expression: string) =>
  responses.map((response): [Uint8Array, HashTree] => [responseHash(response, expression), leaf('')]);

/** "Response Hash Calculation", all headers included. */
function responseHash({ status, headers, body }: StaticResponse, expression: string): Uint8Array {
  const fields = [
    ...headers.map(([name, value]) => [bytes(name.toLowerCase()), bytes(value)]),
    [bytes('ic-certificateexpression'), bytes(expression)],
    [bytes(':ic-cert-status'), leb128(status)],
  ].map(([name, value]) => Buffer.concat([sha256(name!), sha256(value!)]));
  return sha256(sha256(...fields.sort(Buffer.compare)), sha256(body));
}
