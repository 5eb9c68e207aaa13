/** Puts together how a QEMU's VM ended, from what its guest, QEMU itself and the kernel said of it. Pure. */
import type { LifecycleWord } from './lifecycle-words.ts';
import type { MachineEnd } from './machine.ts';

export type QemuSeen = {
  /** What the guest's init said last. */
  word: LifecycleWord | null;
  hasPanicked: boolean;
  shutdownReason: string | null;
  /** QEMU's own words on stderr, the last line. */
  complaint: string;
  /** Whether it came as far as to speak QMP. */
  hasBegun: boolean;
  /** Whether the kernel killed it for the memory it took. */
  isOutOfMemory: boolean;
};

/** `end`: of QEMU's process. In the order of what is surest. Throws, with QEMU's words, when it never began. */
export function toQemuEnd(end: MachineEnd, seen: QemuSeen): MachineEnd {
  const { word } = seen;
  if (word?.type === 'exit') return { exitCode: word.code, signal: null };
  if (word?.type === 'failed')
    return { exitCode: null, signal: null, words: `the guest could not start: ${word.words}` };
  if (seen.isOutOfMemory) return { ...end, words: 'QEMU was killed: it used more memory than its VM may' };
  // A QEMU that was killed: as bubblewrap tells it, 128 and the signal's number.
  if (end.signal !== null || (end.exitCode ?? 0) > 128) return end;
  if (!seen.hasBegun) throw new Error(seen.complaint || `QEMU ended with code ${end.exitCode}`);
  return { exitCode: null, signal: null, words: toShutdownWords(seen) };
}

/** The reasons of QAPI's `ShutdownCause`. */
function toShutdownWords({ hasPanicked, shutdownReason, complaint }: QemuSeen): string {
  if (hasPanicked) return "the guest's kernel panicked";
  switch (shutdownReason) {
    case 'guest-shutdown':
      return 'the guest shut itself down without telling how its agent ended';
    case 'guest-reset':
      return 'the guest reset itself without telling how its agent ended, as after a panic';
    case 'host-signal':
      return 'QEMU was asked to end by a signal from this machine';
    case null:
      return complaint === '' ? 'QEMU ended without a reason' : `QEMU failed: ${complaint}`;
    default:
      return `QEMU ended: ${shutdownReason}`;
  }
}
