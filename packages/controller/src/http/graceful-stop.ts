/** What lets `close()` end soon: open streams are dropped, requests under way are answered, and no connection is kept for another. */
import type { Api } from './api.ts';
import type { EventStreams } from './event-streams.ts';

/** Then what is left is cut: requests that take longer, and connections on which a browser never asked anything. */
const LAST_ANSWERS_MS = 1000;

export function installGracefulStop(api: Api, streams: EventStreams): void {
  let isStopping = false;
  api.addHook('preClose', (done) => {
    isStopping = true;
    streams.close();
    const timer = setTimeout(() => api.server.closeAllConnections(), LAST_ANSWERS_MS);
    api.server.once('close', () => clearTimeout(timer));
    done();
  });
  api.addHook('onSend', (_request, reply, _payload, done) => {
    if (isStopping) reply.header('connection', 'close');
    done();
  });
}
