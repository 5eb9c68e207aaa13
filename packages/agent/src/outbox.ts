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
  /** Only to the present link; nothing when there is none. */
  send: (message: AgentMessage) => void;
  /** Sends everything kept, and from now on every message, to this link alone. */
  attach: (send: Send) => void;
  detach: (send: Send) => void;
};

export function createOutbox(): Outbox {
  const kept = new Map<string, OutboxMessage>();
  let present: Send | null = null;
  return {
    post(message) {
      kept.set(toMatter(message), message);
      present?.(message);
    },
    send(message) {
      present?.(message);
    },
    attach(send) {
      present = send;
      for (const message of kept.values()) send(message);
    },
    detach(send) {
      if (present === send) present = null;
    },
  };
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
