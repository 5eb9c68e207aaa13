/**
 * Speaks QEMU's machine protocol (QMP) over a stream: one JSON object a line. Commands are answered in order; what QEMU tells by itself
 * (events) goes to `onEvent`. Only what this program asks and hears of is typed.
 */
import { createInterface } from 'node:readline';
import type { Duplex } from 'node:stream';
import { z } from 'zod';

const eventSchema = z.discriminatedUnion('event', [
  z.object({ event: z.literal('SHUTDOWN'), data: z.object({ guest: z.boolean(), reason: z.string() }) }),
  z.object({ event: z.literal('GUEST_PANICKED') }),
  z.object({ event: z.literal('VSERPORT_CHANGE'), data: z.object({ id: z.string(), open: z.boolean() }) }),
]);
export type QmpEvent = z.infer<typeof eventSchema>;

const answerSchema = z.union([
  z.object({ return: z.unknown() }),
  z.object({ error: z.object({ class: z.string(), desc: z.string() }) }),
]);

export type QmpCommand = 'qmp_capabilities' | 'quit' | 'stop' | 'cont';

export type QmpClient = {
  /** Rejects with QEMU's words, or when it ends first. */
  execute(command: QmpCommand): Promise<unknown>;
};

type Waiting = { resolve: (value: unknown) => void; reject: (error: Error) => void };

/** Events come as soon as `qmp_capabilities` was executed. Those that are not known here are dropped. */
export function createQmpClient(stream: Duplex, onEvent: (event: QmpEvent) => void): QmpClient {
  const waiting: Waiting[] = [];
  const lines = createInterface({ input: stream });
  // A QEMU that was killed resets the stream; readline passes that on.
  for (const source of [stream, lines]) source.on('error', () => undefined);
  lines.on('line', (line) => {
    const message = parse(line);
    const event = eventSchema.safeParse(message);
    if (event.success) return onEvent(event.data);
    const answer = answerSchema.safeParse(message);
    // The greeting, and events that nobody here waits for.
    if (!answer.success) return;
    const next = waiting.shift();
    if ('error' in answer.data) next?.reject(new Error(`QEMU refused: ${answer.data.error.desc}`));
    else next?.resolve(answer.data.return);
  });
  lines.on('close', () => {
    for (const { reject } of waiting.splice(0)) reject(new Error('QEMU ended before it answered'));
  });
  return {
    execute: (command) =>
      new Promise((resolve, reject) => {
        waiting.push({ resolve, reject });
        stream.write(`${JSON.stringify({ execute: command })}\n`);
      }),
  };
}

/** A QEMU that is killed may leave half a line. */
function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
