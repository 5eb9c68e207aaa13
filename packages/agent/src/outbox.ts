/**
 * What the agent has to say of its session, kept until the VM ends: the present link gets each message at once, and every new link gets
 * them all again, in order (I5). A later word on the same matter takes the place of the earlier one.
 */
import type { AgentMessage } from '@vestibule/protocol/agent-messages';

export type OutboxMessage = Exclude<
  AgentMessage,
  { type: 'hello' | 'settled' | 'answer_delivered' | 'answer_refused' }
>;
export type Send = (message: AgentMessage) => void;

export type Outbox = {
  post: (message: OutboxMessage) => void;
  /** What was said on this matter is no longer so. */
  forget: (type: 'offer' | 'prompt_shown' | 'url_opened') => void;
  /** Only to the present link; nothing when there is none. */
  send: (message: AgentMessage) => void;
  /** Sends everything kept, and from now on every message, to this link alone. */
  attach: (send: Send) => void;
  detach: (send: Send) => void;
};

export function createOutbox(): Outbox {
  const kept = new Map<string, OutboxMessage>();
  let offeredAtMs = 0;
  let present: Send | null = null;
  return {
    post(message) {
      if (message.type === 'offer') offeredAtMs = performance.now();
      kept.set(toMatter(message), message);
      present?.(message);
    },
    forget: (type) => void kept.delete(type),
    send(message) {
      present?.(message);
    },
    attach(send) {
      present = send;
      const elapsedMs = performance.now() - offeredAtMs;
      offeredAtMs += elapsedMs;
      const offer = kept.get('offer');
      if (offer?.type === 'offer') kept.set('offer', withTimeLeft(offer, elapsedMs));
      for (const message of kept.values()) send(message);
    },
    detach(send) {
      if (present === send) present = null;
    },
  };
}

/** The time left for a device code runs on while there is no link. */
function withTimeLeft(message: Extract<OutboxMessage, { type: 'offer' }>, elapsedMs: number): OutboxMessage {
  const { validForMs } = message.offer;
  if (validForMs === null) return message;
  return { ...message, offer: { ...message.offer, validForMs: Math.max(0, Math.round(validForMs - elapsedMs)) } };
}

function toMatter(message: OutboxMessage): string {
  switch (message.type) {
    case 'capability':
      return `capability ${message.name}`;
    case 'credential_incomplete':
      return `credential_incomplete ${message.path}`;
    case 'output':
      return `output ${message.n}`;
    case 'offer':
    case 'prompt_shown':
    case 'url_opened':
    case 'cli_exited':
    case 'handover':
    case 'sign_in_failed':
      return message.type;
  }
}
