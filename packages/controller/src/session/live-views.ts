/**
 * Opens the display of a session's VM for one viewer, wherever the VM runs: holds the viewer until the display is ready, and cuts it when
 * the session ends.
 */
import type { Duplex } from 'node:stream';
import { AppError } from '@vestibule/protocol/errors';
import { isActive, type SessionRow, toSession } from './session-row.ts';
import type { SessionStore } from './session-store.ts';

const LOOK_AGAIN_MS = 1_000;
const CONNECT_RETRY_MS = 50;

export type LiveViewsDeps = {
  store: SessionStore;
  hostId: string;
  /** Of a VM on this host. */
  connectDisplay: (vmId: string) => Promise<Duplex>;
  /** Of a VM on another host, through its controller, which also records the view. */
  connectPeer: (hostId: string, sessionId: string, signal: AbortSignal) => Promise<Duplex>;
  waitForChange: (sessionId: string, timeoutMs: number) => Promise<void>;
};

export function createLiveViews(deps: LiveViewsDeps) {
  const open = new Map<string, Set<Duplex>>();

  async function getActive(sessionId: string): Promise<SessionRow> {
    const row = await deps.store.find(sessionId);
    if (row === null) throw new AppError('session_not_found');
    if (!isActive(row)) throw new AppError('session_ended', `The session has ended as ${row.status}.`);
    return row;
  }

  async function waitForDisplay(sessionId: string, signal: AbortSignal): Promise<{ stream: Duplex; isHere: boolean }> {
    for (;;) {
      signal.throwIfAborted();
      const row = await getActive(sessionId);
      if (row.vm === null || toSession(row).liveView !== 'ready') {
        await deps.waitForChange(sessionId, LOOK_AGAIN_MS);
        continue;
      }
      const { vmId, hostId } = row.vm;
      const isHere = hostId === deps.hostId;
      const connecting = isHere ? deps.connectDisplay(vmId) : deps.connectPeer(hostId, sessionId, signal);
      const stream = await connecting.catch(() => null);
      if (stream !== null) return { stream, isHere };
      await deps.waitForChange(sessionId, isHere ? CONNECT_RETRY_MS : LOOK_AGAIN_MS);
    }
  }

  return {
    /** Throws when the session cannot have a live view any more. */
    async assertPossible(sessionId: string): Promise<void> {
      await getActive(sessionId);
    },

    async open(sessionId: string, signal: AbortSignal): Promise<Duplex> {
      const { stream, isHere } = await waitForDisplay(sessionId, signal);
      // Until the relay takes it over, nobody else listens; `close` follows.
      stream.on('error', () => undefined);
      const streams = open.get(sessionId) ?? new Set();
      open.set(sessionId, streams.add(stream));
      stream.once('close', () => {
        streams.delete(stream);
        if (streams.size === 0 && open.get(sessionId) === streams) open.delete(sessionId);
      });
      try {
        if (isHere) await deps.store.append(sessionId, { type: 'live_view_opened', actor: 'person' });
      } catch (error) {
        stream.destroy();
        throw error;
      }
      this.sessionChanged(sessionId);
      return stream;
    },

    /** Cuts the live views of a session that has ended. */
    sessionChanged(sessionId: string): void {
      if (!open.has(sessionId)) return;
      deps.store
        .find(sessionId)
        .then((row) => {
          if (row === null || isActive(row)) return;
          for (const stream of open.get(sessionId) ?? []) stream.destroy();
        })
        // The VM closes its display at the end as well, which cuts the stream.
        .catch(() => undefined);
    },
  };
}
