/** What a browser and a monitor see: the routes of `http_request`. Answers are one node's word, uncertified. */
import { query } from 'azle';
import { utf8 } from './bytes.ts';
import { HttpRequest, HttpResponse } from './candid-admin.ts';
import { metricsText } from './metrics.ts';
import { statusPage } from './status-page.ts';

type Route = () => { type: string; body: string };

const routes: Record<string, Route> = {
  '/': () => ({ type: 'text/html; charset=utf-8', body: statusPage() }),
  '/metrics': () => ({ type: 'text/plain; version=0.0.4; charset=utf-8', body: metricsText() }),
};

const response = (status_code: number, type: string, body: string): HttpResponse => ({
  status_code,
  headers: [
    ['Content-Type', type],
    ['Cache-Control', 'no-store'],
    ['X-Content-Type-Options', 'nosniff'],
    ['Content-Security-Policy', "default-src 'none'; style-src 'unsafe-inline'"],
  ],
  body: utf8(body),
});

export class HttpMethods {
  /** Query; everyone. */
  @query([HttpRequest], HttpResponse)
  http_request({ method, url }: HttpRequest): HttpResponse {
    if (method !== 'GET' && method !== 'HEAD') return response(405, 'text/plain', 'expected GET');
    const path = url.split('?', 1)[0]!;
    if (!Object.hasOwn(routes, path))
      return response(404, 'text/plain', `expected one of ${Object.keys(routes).join(', ')}`);
    const { type, body } = routes[path]!();
    return response(200, type, method === 'HEAD' ? '' : body);
  }
}
