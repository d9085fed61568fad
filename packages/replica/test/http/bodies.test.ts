import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { encode } from '../../src/certification/cbor.ts';
import { echoCore } from './echo.ts';
import { type Content, callContent, post, without } from './raw.ts';
import { served } from './served.ts';

const core = echoCore();
const server = served(core);

describe('bodies', () => {
  test.each<[string, Uint8Array | Content, number, RegExp]>([
    ['nothing', new Uint8Array(), 400, /^body: expected CBOR, got 0 bytes/],
    ['text', Buffer.from('{"content": 1}'), 400, /^body: expected CBOR/],
    [
      'a truncated envelope',
      encode({ content: callContent() }).subarray(0, 60),
      400,
      /^body: expected CBOR, got 60 bytes/,
    ],
    ['CBOR that goes on', Buffer.concat([encode({}), Buffer.of(0)]), 400, /^body: expected CBOR/],
    ['100,000 nested arrays', new Uint8Array(100_000).fill(0x81), 400, /^body: expected CBOR/],
    ['an array that claims 4 G elements', Buffer.from('9affffffff00', 'hex'), 400, /^body: expected CBOR/],
    ['a repeated key', Buffer.from('a2616101616102', 'hex'), 400, /^body: expected CBOR/],
    ['another tag', Buffer.from('c101', 'hex'), 400, /^body: expected CBOR/],
    ['a number', Buffer.of(1), 400, /^body: expected a map, got 1/],
    ['no content', {}, 400, /^content: expected a map, got nothing/],
    ['content that is no map', { content: [1, 2] }, 400, /^content: expected a map, got an array of 2/],
    ['no request type', { content: {} }, 400, /^request_type: expected text, got nothing/],
    [
      'another request type',
      { content: callContent({ request_type: 'query' }) },
      400,
      /^request_type: expected "call" at this address, got "query"/,
    ],
    [
      'a sender of 30 bytes',
      { content: callContent({ sender: new Uint8Array(30) }) },
      400,
      /^sender: expected a blob of at most 29 bytes, got a blob of 30 bytes/,
    ],
    [
      'a nonce of 33 bytes',
      { content: callContent({ nonce: new Uint8Array(33) }) },
      400,
      /^nonce: expected a blob of at most 32 bytes/,
    ],
    [
      'a negative expiry',
      { content: callContent({ ingress_expiry: -1 }) },
      400,
      /^ingress_expiry: expected a natural number, got -1/,
    ],
    [
      'no method name',
      { content: without(callContent({ method_name: undefined })) },
      400,
      /^method_name: expected text, got nothing/,
    ],
    ['an argument that is text', { content: callContent({ arg: 'DIDL' }) }, 400, /^arg: expected a blob, got "DIDL"/],
    [
      'a flag in the content',
      { content: callContent({ flag: true }) },
      400,
      /^request id: expected text, blob, natural, array or map, got true/,
    ],
    ['sender info', { content: callContent({ sender_info: {} }) }, 400, /^sender_info: expected none/],
  ])('%s', async (_, body, status, message) => {
    const answer = await post(server.calls, body);
    expect(answer.text).toMatch(message);
    expect(answer.text.trim()).not.toContain('\n');
    expect(answer.status).toBe(status);
  });

  test('of more than 2 MiB', async () => {
    const limit = 2 * 1024 * 1024;
    const answer = await post(server.calls, { content: callContent({ arg: new Uint8Array(limit) }) });
    expect(answer.status).toBe(413);
    expect(answer.text).toMatch(new RegExp(`^body: expected at most ${limit} bytes, got 2097`));
  });

  test('that break off', async () => {
    const socket = connect(server.at.port, '127.0.0.1');
    const head = `POST ${new URL(server.calls).pathname} HTTP/1.1\r\nHost: x\r\nContent-Type: application/cbor\r\n`;
    socket.write(`${head}Content-Length: 100\r\n\r\nshort`);
    socket.end();
    socket.resume();
    await once(socket, 'close');
    expect((await post(server.calls, { content: callContent() })).status, 'the server goes on').toBe(200);
  });

  test('that are not declared as CBOR', async () => {
    const answer = await post(server.calls, { content: callContent() }, 'application/json');
    expect(answer.status).toBe(415);
    expect(answer.text).toBe('Content-Type: expected application/cbor, got application/json\n');
  });
});
