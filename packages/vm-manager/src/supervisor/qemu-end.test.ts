/** How a QEMU's end is told: what the guest said goes before what QEMU says, and its exit code says nothing. */
import { describe, expect, it } from 'vitest';
import { toQemuEnd, type QemuSeen } from './qemu-end.ts';

const SEEN: QemuSeen = {
  ...{ word: { type: 'started' }, hasPanicked: false, shutdownReason: null },
  ...{ complaint: '', hasBegun: true, isOutOfMemory: false },
};
const CLEAN = { exitCode: 0, signal: null } as const;

describe('the end of a QEMU', () => {
  it("is the agent's own, whatever QEMU then does", () => {
    const seen = { ...SEEN, word: { type: 'exit', code: 3 } as const, shutdownReason: 'host-qmp-quit' };
    expect(toQemuEnd(CLEAN, seen)).toEqual({ exitCode: 3, signal: null });
    expect(toQemuEnd({ exitCode: 137, signal: null }, seen)).toEqual({ exitCode: 3, signal: null });
  });

  it("is told in the words of the guest's init when it could not start the agent", () => {
    const seen = { ...SEEN, word: { type: 'failed', words: 'there is no lifecycle channel' } as const };
    expect(toQemuEnd(CLEAN, seen).words).toBe('the guest could not start: there is no lifecycle channel');
  });

  it.each([
    ['guest-shutdown', /shut itself down/],
    ['guest-reset', /reset itself/],
    ['host-signal', /asked to end by a signal from this machine/],
    ['host-error', /^QEMU ended: host-error$/],
    [null, /^QEMU ended without a reason$/],
  ])('is told by its reason %s, never by its exit code', (shutdownReason, words) => {
    expect(toQemuEnd(CLEAN, { ...SEEN, shutdownReason })).toMatchObject({
      exitCode: null,
      signal: null,
      words: expect.stringMatching(words) as string,
    });
  });

  it("names a panic of the guest's kernel, which ends like any reset", () => {
    expect(toQemuEnd(CLEAN, { ...SEEN, hasPanicked: true, shutdownReason: 'guest-reset' }).words).toBe(
      "the guest's kernel panicked",
    );
  });

  it('is a death by signal when QEMU was killed, and by memory when that was why', () => {
    const killed = { exitCode: 137, signal: null };
    expect(toQemuEnd(killed, SEEN)).toEqual(killed);
    expect(toQemuEnd(killed, { ...SEEN, isOutOfMemory: true }).words).toMatch(/more memory than its VM may/);
  });

  it("is QEMU's complaint when it never began", () => {
    const seen = { ...SEEN, word: null, hasBegun: false, complaint: 'qemu: could not open /vm/kernel' };
    expect(() => toQemuEnd({ exitCode: 1, signal: null }, seen)).toThrow('qemu: could not open /vm/kernel');
  });
});
