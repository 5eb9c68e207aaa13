/** A program that follows a session's event stream as `EventSource` does: over as many connections as it takes, resuming by `Last-Event-ID`. */
import { setTimeout as wait } from 'node:timers/promises';
import { type SessionPush, sessionPushSchema } from '@vestibule/protocol/api';
import { ROUTES } from '@vestibule/protocol/routes';

const RETRY_MS = 100;

export type EventFollower = {
  /** In the order of arrival. */
  pushes: SessionPush[];
  /** How many connections it took so far. */
  connections(): number;
  /** Resolves when the stream said that nothing more can happen. */
  ended: Promise<void>;
  stop(): void;
};

export function followSession(origin: string, token: string, sessionId: string): EventFollower {
  const pushes: SessionPush[] = [];
  const stopped = new AbortController();
  let connections = 0;

  /** True when the stream said that it is over. */
  async function readOnce(): Promise<boolean> {
    const seq = pushes.at(-1)?.session.seq;
    const resume: Record<string, string> = seq === undefined ? {} : { 'last-event-id': String(seq) };
    const answer = await fetch(origin + ROUTES.events(sessionId), {
      headers: { authorization: `Bearer ${token}`, ...resume },
      signal: stopped.signal,
    });
    if (!answer.ok || answer.body === null) throw new Error(`events answered ${answer.status}`);
    connections += 1;
    let text = '';
    for await (const chunk of answer.body.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) {
        if (block.includes('event: end')) return true;
        const data = /^data: (.*)$/m.exec(block)?.[1];
        if (data !== undefined) pushes.push(sessionPushSchema.parse(JSON.parse(data)));
      }
    }
    return false;
  }

  async function follow(): Promise<void> {
    while (!stopped.signal.aborted) {
      if (await readOnce().catch(() => false)) return;
      await wait(RETRY_MS);
    }
  }
  return { pushes, connections: () => connections, ended: follow(), stop: () => stopped.abort() };
}

/** The steps in the order of arrival. */
export function toSeqs({ pushes }: EventFollower): number[] {
  return pushes.flatMap(({ steps }) => steps.map(({ seq }) => seq));
}

export function countUp(to: number): number[] {
  return Array.from({ length: to }, (_, index) => index + 1);
}
