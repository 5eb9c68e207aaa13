/** Puts what was observed of a first process's end into a `VmExit`, in words a person understands. */
import { constants } from 'node:os';
import type { VmExit } from '@vestibule/protocol/vm';
import type { MachineEnd } from './machine.ts';

export type ObservedEnd = MachineEnd & {
  /** Milliseconds it was given to end by itself before it was killed; null when it was not killed by us. */
  killedAfterMs: number | null;
  at: Date;
};

export function toVmExit({ exitCode, signal, words, killedAfterMs, at }: ObservedEnd): VmExit {
  const end =
    words ?? (signal === null ? `exited with code ${exitCode}${toSignalNote(exitCode)}` : `killed by ${signal}`);
  const reason = killedAfterMs === null ? end : `${end}: it did not end within ${killedAfterMs} ms of being asked`;
  return { exitCode, signal, reason, at: at.toISOString() };
}

/** bubblewrap tells a death by signal as 128 plus its number, which a program may also have chosen itself. */
function toSignalNote(exitCode: number | null): string {
  const name = Object.entries(constants.signals).find(([, number]) => number + 128 === exitCode)?.[0];
  return name === undefined ? '' : ` (as if by ${name})`;
}
