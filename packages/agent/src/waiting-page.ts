/**
 * The page Chromium shows before the sign-in page is known. It tells the agent when it was painted, the one honest sign that the browser
 * is usable without a debugging port, and it closes its own tab as soon as another tab covers it, so that one tab is left.
 */
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createDeferred } from './deferred.ts';

export type WaitingPage = {
  url: string;
  /** Resolves when a browser has painted the page in a visible window. */
  painted: Promise<void>;
  close: () => void;
};

/** Listens on the VM's loopback, on a path that cannot be guessed; the page holds nothing secret. */
export async function createWaitingPage(): Promise<WaitingPage> {
  const path = `/${randomBytes(16).toString('hex')}`;
  const painted = createDeferred<void>();
  const server = createServer((request, response) => {
    if (request.url === path) {
      response.setHeader('content-type', 'text/html; charset=utf-8').end(toPage(`${path}/painted`));
      return;
    }
    if (request.url === `${path}/painted`) painted.resolve();
    response.writeHead(request.url?.startsWith(path) ? 204 : 404).end();
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}${path}`,
    painted: painted.promise,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** A tab whose only page was given on the command line may close itself. */
function toPage(paintedPath: string): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Sign-in</title><link rel="icon" href="data:,">
<style>html{background:#f5f6f8;color:#4b5563;font:16px sans-serif}p{margin:40vh auto 0;text-align:center}</style>
<p>The sign-in page opens in a moment.</p>
<script>
const closeWhenCovered = () => document.hidden && window.close();
document.addEventListener('visibilitychange', closeWhenCovered);
closeWhenCovered();
requestAnimationFrame(() => requestAnimationFrame(() => fetch('${paintedPath}')));
</script></html>`;
}
