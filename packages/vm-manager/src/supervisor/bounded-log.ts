/** A log file that never grows beyond a bound: when half of it is full, that half becomes `<path>.1` and the older `<path>.1` is dropped. */
import { closeSync, existsSync, openSync, renameSync, writeSync } from 'node:fs';

export class BoundedLog {
  readonly #path: string;
  readonly #halfBytes: number;
  #file: number;
  #bytes = 0;

  constructor(path: string, maxBytes: number) {
    this.#path = path;
    this.#halfBytes = Math.floor(maxBytes / 2);
    this.#file = openSync(path, 'a', 0o600);
  }

  /** Never throws: a full disk must not end the VM. */
  write(chunk: Buffer): void {
    try {
      for (let from = 0; from < chunk.length;) {
        if (this.#bytes >= this.#halfBytes) this.#turn();
        const part = chunk.subarray(from, from + this.#halfBytes - this.#bytes);
        writeSync(this.#file, part);
        this.#bytes += part.length;
        from += part.length;
      }
    } catch {
      // What cannot be written is lost.
    }
  }

  #turn(): void {
    const dropped = existsSync(`${this.#path}.1`);
    closeSync(this.#file);
    renameSync(this.#path, `${this.#path}.1`);
    this.#file = openSync(this.#path, 'a', 0o600);
    this.#bytes = dropped ? writeSync(this.#file, '[older output was dropped]\n') : 0;
  }
}
