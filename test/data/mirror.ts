// SPDX-License-Identifier: Apache-2.0
// A web server on this machine that has a file, or fails to have it in one of the ways that mirrors do.

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';

export interface Mirror {
  /** `http://127.0.0.1:port`, without a slash at the end. */
  readonly url: string;
  /** The paths asked for, in order. */
  readonly requests: string[];
  close(): Promise<void>;
}

/**
 * Serves `files` by name under every folder. The folder says how: `/good`, `/chunked` (without a length), `/cut` (the
 * connection breaks half way), `/cut-chunked`, `/gone` (404), `/broken` (500), `/stalled` (half, then silence),
 * `/slow` (a tenth every 60 ms), `/silent` (no answer at all), `/wrong` (other bytes of the same length), `/moved`
 * (redirects to `/good`), `/flaky` (takes ranges and names its version; gives at most a third a time), `/once` (the same,
 * but gives nothing more after the first third), `/changed` (the same as `/flaky`, with another version each time), `/short` (416
 * to whoever asks for a rest).
 */
export async function startMirror(files: Readonly<Record<string, Uint8Array>>): Promise<Mirror> {
  const requests: string[] = [];
  const server: Server = createServer(async (request, response) => {
    const path = request.url ?? '';
    requests.push(path);
    const [, how, name] = path.split('/');
    const body = files[name];
    if (how === 'silent') return;
    if (how === 'broken') return void response.writeHead(500).end('sorry');
    if (how === 'short' && request.headers.range) return void response.writeHead(416).end();
    if (how === 'gone' || body === undefined)
      return void response.writeHead(404).end('<html>not here</html>');
    if (how === 'moved') return void response.writeHead(302, { location: `/good/${name}` }).end();
    const half = body.subarray(0, body.length >> 1);
    if (how === 'chunked') {
      response.write(half);
      return void response.end(body.subarray(half.length));
    }
    if (how === 'cut-chunked') {
      response.write(half, () => response.destroy());
      return;
    }
    if (how === 'flaky' || how === 'once' || how === 'changed') {
      const version = how === 'changed' ? `"${requests.length}"` : '"1"';
      const asked = request.headers['if-range'] === version ? request.headers.range : undefined;
      const start = Number(/^bytes=(\d+)-$/.exec(asked ?? '')?.[1] ?? 0);
      if (how === 'once' && start > 0) return void response.writeHead(503).end();
      const headers = { 'accept-ranges': 'bytes', etag: version, 'content-length': body.length - start };
      const range = `bytes ${start}-${body.length - 1}/${body.length}`;
      response.writeHead(asked ? 206 : 200, asked ? { ...headers, 'content-range': range } : headers);
      const part = body.subarray(start, start + Math.ceil(body.length / 3));
      if (start + part.length === body.length) return void response.end(part);
      // Not at once: fetch of Node 22 and later drops what came together with the end of the connection
      response.write(part, () => setTimeout(50).then(() => response.destroy()));
      return;
    }
    response.setHeader('content-length', body.length);
    if (how === 'slow') {
      const tenth = Math.ceil(body.length / 10);
      for (let at = 0; at < body.length; at += tenth) {
        response.write(body.subarray(at, at + tenth));
        await setTimeout(60);
      }
      return void response.end();
    }
    if (how === 'cut') response.write(half, () => response.destroy());
    else if (how === 'stalled') response.write(half);
    else if (how === 'wrong') response.end(body.map((byte) => byte ^ 0xff));
    else response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** An address on this machine where nothing listens. */
export async function closedPort(): Promise<string> {
  const mirror = await startMirror({});
  await mirror.close();
  return mirror.url;
}
