/** Proxies of the environment: Node's fetch uses them only if it is told to, and only where it is new enough. */

const VARIABLES = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'all_proxy'];

/**
 * That a proxy is set and not used, as a line; undefined where none is, or Node uses it. Its address, which may have a
 * password in it, is not said.
 */
export function proxyLine(endpoint: string, env: NodeJS.ProcessEnv = process.env): [string] | undefined {
  const local = /^(localhost|127\.|\[::1\])/.test(new URL(endpoint).hostname);
  const name = VARIABLES.find((variable) => env[variable]);
  if (name === undefined || local || env['NODE_USE_ENV_PROXY'] === '1') return undefined;
  return [
    `fetch: ${name} is set and is not used: set NODE_USE_ENV_PROXY=1 too, with Node 22.21 or later, and Node goes through it`,
  ];
}
