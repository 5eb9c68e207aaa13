/**
 * The two pipes between the supervisor of a container and its process 1, in a folder that the container sees read-only. They go past the
 * container engine: an engine that is restarted takes neither the log nor the VM along, and a supervisor that dies closes the lifeline.
 */
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { chmod, mkdir } from 'node:fs/promises';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { runCommand } from '../system/run-command.ts';

const LIFELINE = 'lifeline';
const LOG = 'log';

export type Wire = {
  /** `start`: the agent may run; `end`: it is asked to end. */
  say(word: 'start' | 'end'): void;
  /** Resolves when nobody in the container can write to the log any more; never, when nobody did. */
  logEnded: Promise<void>;
  /** Whoever is in the container is ended. */
  close(): void;
};

/** Makes the pipes. Whoever is in the container may read the lifeline and write the log. */
export async function prepareWire(wireDir: string): Promise<void> {
  await mkdir(wireDir, { mode: 0o755 });
  const paths = [join(wireDir, LIFELINE), join(wireDir, LOG)];
  await runCommand(['mkfifo', ...paths]);
  await Promise.all([chmod(wireDir, 0o755), chmod(paths[0] ?? '', 0o644), chmod(paths[1] ?? '', 0o622)]);
}

/** The supervisor's ends. Opens both at once, so that neither side waits for the other. */
export function openWire(wireDir: string, onLog: (chunk: Buffer) => void): Wire {
  const log = new Socket({ fd: openSync(join(wireDir, LOG), constants.O_RDONLY | constants.O_NONBLOCK) });
  const lifeline = openSync(join(wireDir, LIFELINE), constants.O_RDWR | constants.O_NONBLOCK);
  log.on('data', onLog);
  return {
    say: (word) => void writeSync(lifeline, `${word}\n`),
    logEnded: new Promise((resolve) => log.once('close', () => resolve())),
    close() {
      closeSync(lifeline);
      log.destroy();
    },
  };
}
