/**
 * Brings the answer of the sign-in page to the CLI's own callback server, which may close at the first request of any kind: exactly one is
 * made. What the CLI answers is not read, with one exception: a CLI that leads on to a page of its own server is asked for that page too,
 * as a browser would, for some end only when it was shown (codex 0.169.0: `/success`). A redirect to anywhere else is not followed.
 */
import { request } from 'node:http';

/**
 * `delivered`: the request was written. `not_listening`: nobody listens, so nothing reached the CLI. `broken`: something went wrong after
 * the CLI may have seen a part of it.
 */
export type Delivery = 'delivered' | 'not_listening' | 'broken';

/** The CLI may take its time to answer; it is given it, so that it does not see its caller leave. */
const ANSWER_WITHIN_MS = 60_000;
const CONNECT_WITHIN_MS = 5000;
/** Pages of the CLI's own that follow each other; more would be a circle. */
const MAX_PAGES = 3;
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/** `host`: as the sign-in page would have called it. The other address of the loopback is tried only when the first one refused. */
export async function deliverCallback(url: string, host: string): Promise<Delivery> {
  const first = await attempt(url, '127.0.0.1', host, MAX_PAGES);
  return first === 'not_listening' ? attempt(url, '::1', host, MAX_PAGES) : first;
}

function attempt(url: string, address: string, host: string, pages: number): Promise<Delivery> {
  const { port, pathname, search } = new URL(url);
  return new Promise((resolve) => {
    const call = request(
      {
        ...{ host: address, port: port === '' ? 80 : Number(port), path: `${pathname}${search}`, agent: false },
        ...{ headers: { host, accept: 'text/html' }, timeout: ANSWER_WITHIN_MS },
      },
      (response) => {
        response.resume();
        const next = findNextPage(response.headers.location, url);
        if (next !== null && pages > 0) void attempt(next, address, host, pages - 1);
      },
    );
    const late = setTimeout(() => call.destroy(), CONNECT_WITHIN_MS);
    call.once('socket', (socket) => socket.once('connect', () => clearTimeout(late)));
    call.once('finish', () => resolve('delivered'));
    call.once('timeout', () => call.destroy());
    call.on('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(late);
      resolve(
        ['ECONNREFUSED', 'EADDRNOTAVAIL', 'EAFNOSUPPORT'].includes(error.code ?? '') ? 'not_listening' : 'broken',
      );
    });
    call.end();
  });
}

/** The page that the answer leads on to, when the same server is to show it. */
function findNextPage(location: string | undefined, url: string): string | null {
  if (location === undefined || !URL.canParse(location, url)) return null;
  const next = new URL(location, url);
  return next.protocol === 'http:' && LOOPBACK.has(next.hostname) && next.port === new URL(url).port ? next.href : null;
}
