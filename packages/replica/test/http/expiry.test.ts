/** Requests that are too old, too new, or sent again. */
import { describe, expect, test } from 'vitest';
import { encode } from '../../src/certification/cbor.ts';
import { echoCore } from './echo.ts';
import { type Content, callContent, envelope, inMinutes, newKey, post, without } from './raw.ts';
import { served } from './served.ts';

const core = echoCore();
const key = newKey();
const by = (changes: Content = {}) => callContent({ sender: undefined, ...changes });

const server = served(core);

describe('time', () => {
  test.each([
    ['in the past', -0.1],
    ['more than five and a half minutes ahead', 5.6],
  ])('a call that expires %s', async (_, minutes) => {
    const answer = await post(server.calls, envelope(key, without(by({ ingress_expiry: inMinutes(minutes) }))));
    expect(answer.text).toMatch(
      /^Invalid request expiry: Specified ingress_expiry not within expected range: expected \d+ to \d+ \(nanoseconds\), got \d+/,
    );
    expect(answer.status).toBe(400);
  });

  test('a signed query that has expired, but not an anonymous one', async () => {
    const queries = server.calls.replace('call', 'query');
    const content = { request_type: 'query', method_name: 'echo_query', ingress_expiry: inMinutes(-10) };
    expect((await post(queries, envelope(key, without(by(content))))).status).toBe(400);
    expect((await post(queries, { content: callContent(content) })).status).toBe(200);
  });

  test('a replayed call is answered again, but not executed again', async () => {
    const body = encode(envelope(key, without(by({ nonce: Buffer.from('replayed') }))));
    const before = core.executed.length;
    const first = await post(server.calls, body);
    const second = await post(server.calls, body);
    expect([first.cbor!.get('status'), second.cbor!.get('status')]).toEqual(['replied', 'replied']);
    expect(core.executed.length - before).toBe(1);
  });

  test('a call replayed after it has expired is refused', async () => {
    const body = encode(envelope(key, without(by())));
    expect((await post(server.calls, body)).status).toBe(200);
    core.clockShift = 6n * 60n * 1_000_000_000n;
    const replayed = await post(server.calls, body);
    core.clockShift = 0n;
    expect(replayed.text).toMatch(/^Invalid request expiry/);
  });
});
