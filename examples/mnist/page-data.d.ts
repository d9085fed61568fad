/** What the build makes of the page (build-page.js), for http.ts: page-data.js. Bytes are in Base64. */

/** To be certified: 32 bytes. */
export declare const certifiedData: string;

/** The tree of `IC-Certificate`, in CBOR. */
export declare const witness: string;

export interface ServedPage {
  status: number;
  headers: [string, string][];
  body: string;
  /** `IC-CertificateExpression`. */
  expression: string;
  /** `expr_path` of `IC-Certificate`, in CBOR. */
  exprPath: string;
}

export declare const pages: { root: ServedPage; missing: ServedPage };
