/**
 * The page Chromium is started on. While the sign-in page is not known it shows that one is coming, tells the agent when it was painted
 * (the one honest sign, without a debugging port, that the browser is usable), and asks where to go. Once it is known, the page goes
 * there, and whoever comes later is sent there at once. So the sign-in link stands in no argv.
 */
import { randomBytes } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createDeferred } from './deferred.ts';

export type WaitingPage = {
  url: string;
  /** Resolves when a browser has painted the page in a visible window; never when the target was known before. */
  painted: Promise<void>;
  /** From now on the page leads to this URL. Resolves when a browser was sent there. */
  leadTo: (target: string) => Promise<void>;
  /** A browser showed the page and shows it no more. */
  wasLeft: () => boolean;
  close: () => void;
};

/** Listens on the VM's loopback, on a path that cannot be guessed. */
export async function createWaitingPage(): Promise<WaitingPage> {
  const path = `/${randomBytes(16).toString('hex')}`;
  const painted = createDeferred<void>();
  const taken = createDeferred<void>();
  let location: string | null = null;
  /** The newest page's question, kept open until there is an answer. */
  let asking: ServerResponse | null = null;
  let wasAsked = false;

  const tell = (response: ServerResponse, body: string): void => {
    response.once('finish', () => taken.resolve()).end(body);
  };
  const ask = (response: ServerResponse): void => {
    // The page sees at once that it was heard.
    response.writeHead(200).flushHeaders();
    if (location !== null) return tell(response, location);
    wasAsked = true;
    asking = response;
    response.once('close', () => {
      if (asking === response) asking = null;
    });
  };
  const server = createServer((request, response) => {
    response.setHeader('cache-control', 'no-store');
    switch (request.url) {
      case path:
        if (location !== null) return tell(response.writeHead(302, { location }), '');
        return void response.setHeader('content-type', 'text/html; charset=utf-8').end(toPage(path));
      case `${path}/painted`:
        painted.resolve();
        return void response.writeHead(204).end();
      case `${path}/target`:
        return ask(response);
      default:
        response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}${path}`,
    painted: painted.promise,
    leadTo(target) {
      location = new URL(target).href;
      if (asking !== null) tell(asking, location);
      return taken.promise;
    },
    wasLeft: () => wasAsked && asking === null,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function toPage(path: string): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Sign-in</title><link rel="icon" href="data:,">
<meta name="referrer" content="no-referrer">
<style>html{background:#f5f6f8;color:#4b5563;font:16px sans-serif}p{margin:40vh auto 0;text-align:center}</style>
<p>The sign-in page opens in a moment.</p>
<script>
requestAnimationFrame(() => requestAnimationFrame(() => fetch('${path}/painted')));
fetch('${path}/target').then((answer) => answer.text()).then((target) => location.replace(target));
</script></html>`;
}
