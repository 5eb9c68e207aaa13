/** Two joined streams in memory: what one side writes, the other reads, with back-pressure. Ending or destroying one side reaches the other. */
import { Duplex } from 'node:stream';

class PairedStream extends Duplex {
  peer: PairedStream | null = null;
  #taken: (() => void) | null = null;

  constructor() {
    // As a socket: when the other side has ended, this one ends, too.
    super({ allowHalfOpen: false });
  }

  override _read(): void {
    this.#taken?.();
    this.#taken = null;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    if (this.peer === null || this.peer.destroyed || this.peer.push(chunk)) done();
    else this.peer.#taken = done;
  }

  override _final(done: () => void): void {
    if (this.peer?.destroyed === false) this.peer.push(null);
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    // What was written before stays readable on the other side, then it sees the end.
    const peer = this.peer;
    if (peer !== null && !peer.destroyed && !peer.readableEnded) peer.push(null);
    this._read();
    done(error);
  }
}

export function createDuplexPair(): [Duplex, Duplex] {
  const [a, b] = [new PairedStream(), new PairedStream()];
  [a.peer, b.peer] = [b, a];
  return [a, b];
}
