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
 * are not named.
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
  const children = Object.entries(pages).map(([path, responses]): [string, HashTree] => {
    const expression = responses === 'uncertified' ? expressions.uncertified : expressions.certified;
    const segments = path === '*' ? ['<*>'] : [...segmentsOf(path), '<$>'];
    paths[path] = { expression, exprPath: encode(['http_expr', ...segments]) };
    const of = responses === 'uncertified' ? leaf('') : node([['', node(hashes(responses, expression))]]);
    const [first, ...rest] = segments as [string, ...string[]];
    return [
      first,
      rest.reduceRight<HashTree>((below, label) => node([[label, below]]), node([[sha256(bytes(expression)), of]])),
    ];
  });
  const tree = node(children);
  const labelled: HashTree = [2, bytes('http_expr'), tree];
  return { tree, rootHash: rootHash(tree), certifiedData: rootHash(labelled), witness: encode(labelled), paths };
}

/**
 * @throws Error for a path of several segments: two of these could share their first, which a list of labels does not
 * hold
 */
function segmentsOf(path: string): [string] {
  const [empty, segment, ...more] = path.split('/');
  if (empty !== '' || segment === undefined || more.length > 0)
    throw new Error(`pages: expected paths like / and /status, got ${path}`);
  return [segment];
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
