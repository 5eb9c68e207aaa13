/** Live views of VMs on other hosts: asks each host's controller for the display, with a fresh ticket that only it may take. */
import type { Duplex } from 'node:stream';
import type { Ticket } from '@vestibule/protocol/api';
import type { Logger } from '../telemetry/logger.ts';
import { connectPeerDisplay } from './peer-display.ts';

export type PeerDisplaysDeps = {
  findPeerUrl: (hostId: string) => Promise<string | null>;
  issueTicket: (sessionId: string, forHost: string) => Promise<Ticket>;
  log: Logger;
};

export function createPeerDisplays(deps: PeerDisplaysDeps) {
  /** By host, so that a viewer who tries again and again does not fill the log. */
  const told = new Map<string, string>();

  async function connect(hostId: string, sessionId: string, signal: AbortSignal): Promise<Duplex> {
    const peerUrl = await deps.findPeerUrl(hostId);
    if (peerUrl === null)
      throw new Error('it does not say where it can be reached. Set VESTIBULE_PEER_URL there to an https origin.');
    const { ticket } = await deps.issueTicket(sessionId, hostId);
    return connectPeerDisplay(peerUrl, ticket, signal);
  }

  return {
    /** Rejects when that host's controller cannot be reached or refuses; the log says why. */
    async connect(hostId: string, sessionId: string, signal: AbortSignal): Promise<Duplex> {
      try {
        const display = await connect(hostId, sessionId, signal);
        told.delete(hostId);
        return display;
      } catch (error) {
        const words = error instanceof Error ? error.message : String(error);
        if (!signal.aborted && told.get(hostId) !== words) {
          told.set(hostId, words);
          deps.log.warn({ hostId, sessionId }, `the live view of that host cannot be shown here: ${words}`);
        }
        throw error;
      }
    },
  };
}
