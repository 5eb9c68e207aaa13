/**
 * One connection of the controller: newline-delimited JSON both ways, checked against the protocol. A line that is too long or not a
 * message ends the link; the controller dials again.
 */
import type { Socket } from 'node:net';
import {
  controllerMessageSchema,
  MAX_LINE_BYTES,
  type AgentMessage,
  type ControllerMessage,
} from '@vestibule/protocol/agent-messages';
import { createLineAssembler } from './line-assembler.ts';

export type Link = {
  send: (message: AgentMessage) => void;
  /** Ends the link after what was sent. `why` is for the agent's log. */
  close: (why: string) => void;
};

export type LinkListener = {
  onMessage: (message: ControllerMessage) => void;
  /** Called once, however the link ended. */
  onClosed: (why: string) => void;
};

export function createLink(socket: Socket, createListener: (link: Link) => LinkListener): Link {
  let ended: string | null = null;
  const link: Link = {
    send(message) {
      if (ended === null) socket.write(`${JSON.stringify(message)}\n`);
    },
    close(why) {
      if (ended !== null) return;
      ended = why;
      socket.destroySoon();
    },
  };
  const listener = createListener(link);
  const lines = createLineAssembler({ maxBytes: MAX_LINE_BYTES, onTooLong: () => link.close('a line was too long') });
  socket.on('data', (chunk: Buffer) => {
    if (ended !== null) return;
    for (const line of lines.push(chunk)) {
      const message = parse(line);
      if (!message) link.close('a line was no message');
      if (!message || ended !== null) return;
      listener.onMessage(message);
    }
  });
  socket.on('error', () => socket.destroy());
  socket.on('close', () => {
    const why = ended ?? 'the controller closed it';
    ended = why;
    listener.onClosed(why);
  });
  return link;
}

function parse(line: string): ControllerMessage | null {
  try {
    return controllerMessageSchema.safeParse(JSON.parse(line)).data ?? null;
  } catch {
    return null;
  }
}
