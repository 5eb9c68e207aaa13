/** One page's live view, from the accepted WebSocket on: it is held until the display is ready, then carried until either side ends. */
import type { Duplex } from 'node:stream';
import type { WebSocket } from '@fastify/websocket';
import { AppError } from '@vestibule/protocol/errors';
import type { OpenCount } from '../telemetry/metrics.ts';
import { CLOSE_CODES, closeSocket, keepAlive, relay } from './relay.ts';

/** Returns at once; never throws. `onFailure` is told why the display never came. */
export function connectLiveView(
  socket: WebSocket,
  open: (signal: AbortSignal) => Promise<Duplex>,
  count: OpenCount,
  onFailure: (error: unknown) => void,
): void {
  const gone = new AbortController();
  socket.once('close', () => {
    gone.abort();
    count.closed();
  });
  count.opened();
  keepAlive(socket);

  /** RFB: the display speaks first. */
  const refuseEarly = (): void => closeSocket(socket, CLOSE_CODES.protocolError);
  socket.on('message', refuseEarly);

  const failed = (error: unknown): void => {
    if (gone.signal.aborted) return;
    const hasEnded = error instanceof AppError && error.code === 'session_ended';
    closeSocket(socket, hasEnded ? CLOSE_CODES.ended : CLOSE_CODES.displayNeverCame);
    if (!hasEnded) onFailure(error);
  };
  const start = async (): Promise<void> => {
    const display = await open(gone.signal);
    socket.off('message', refuseEarly);
    if (gone.signal.aborted) display.destroy();
    else relay(socket, display);
  };
  start().catch(failed);
}
