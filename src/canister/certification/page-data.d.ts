/** What the build makes of src/page (src/node/build/page.ts), for the canister to serve: page-data.js. */
import type { Packed } from '../storage/bytes.ts';

/**
 * `http_expr` of the certified tree: the hash of the labelled node, and the tree in CBOR up to where the hash of what
 * stands beside it begins.
 */
export declare const httpExpr: { hash: Packed; witness: Packed };

/** The style sheet of the status page. */
export declare const statusStyle: string;

export interface PageData {
  /** `IC-CertificateExpression`. */
  expression: string;
  /** `expr_path` of `IC-Certificate`, in Base64. */
  exprPath: string;
  /** What the path can answer; nothing where the answers are live and uncertified. */
  responses: { status: number; headers: [name: string, value: string][]; body: Packed }[];
}

/** By path; `*` is any other. */
export declare const pages: Record<string, PageData>;
