/** Ctrl-C: the first asks what runs to come to an end, the second leaves at once. */
export type Interrupts = {
  /** Also called when the terminal, in raw mode, sees Ctrl-C as a key. */
  raise(): void;
  /** The first Ctrl-C calls `stop` from now on; returns what takes that back. */
  onFirst(stop: () => void): () => void;
};

export function createInterrupts(leave: () => void): Interrupts {
  let stop: (() => void) | null = null;
  return {
    raise() {
      const asked = stop;
      stop = null;
      if (asked === null) leave();
      else asked();
    },
    onFirst(next) {
      const before = stop;
      stop = next;
      return () => {
        stop = before;
      };
    },
  };
}
