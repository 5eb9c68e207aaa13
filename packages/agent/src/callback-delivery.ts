/**
 * Brings the answer of the sign-in page to the CLI's own callback server, which may close at the first request of any kind: exactly one is
 * made. Redirects are not followed, and what the CLI answers is not read.
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

/** `host`: as the sign-in page would have called it. The other address of the loopback is tried only when the first one refused. */
export async function deliverCallback(url: string, host: string): Promise<Delivery> {
  const first = await attempt(url, '127.0.0.1', host);
  return first === 'not_listening' ? attempt(url, '::1', host) : first;
}

function attempt(url: string, address: string, host: string): Promise<Delivery> {
  const { port, pathname, search } = new URL(url);
  return new Promise((resolve) => {
    const call = request(
      {
        ...{ host: address, port: port === '' ? 80 : Number(port), path: `${pathname}${search}`, agent: false },
        ...{ headers: { host, accept: 'text/html' }, timeout: ANSWER_WITHIN_MS },
      },
      (response) => response.resume(),
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
