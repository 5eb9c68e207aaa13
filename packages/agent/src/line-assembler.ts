/**
 * Whole lines out of a byte stream, however it is cut into chunks. A line is given only when its end was seen; bytes are joined before
 * they are decoded, so that a character cut in two stays whole.
 */
export type LineAssembler = {
  /** The lines that this chunk completes, without their ends. */
  push: (chunk: Buffer) => string[];
};

export type LineOptions = {
  /** A longer line is not assembled. */
  maxBytes: number;
  /** Called once for each line that is too long; the rest of it is skipped. */
  onTooLong?: () => void;
};

const NEWLINE = 0x0a;

export function createLineAssembler({ maxBytes, onTooLong }: LineOptions): LineAssembler {
  let parts: Buffer[] = [];
  let size = 0;
  let skipping = false;

  const append = (part: Buffer): void => {
    if (skipping) return;
    size += part.length;
    if (size <= maxBytes) {
      parts.push(part);
      return;
    }
    skipping = true;
    parts = [];
    onTooLong?.();
  };
  const finish = (): string | null => {
    const line = skipping ? null : Buffer.concat(parts).toString('utf8');
    parts = [];
    size = 0;
    skipping = false;
    return line;
  };

  return {
    push(chunk) {
      const lines: string[] = [];
      let start = 0;
      for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
        append(chunk.subarray(start, end));
        const line = finish();
        if (line !== null) lines.push(line);
        start = end + 1;
      }
      if (start < chunk.length) append(chunk.subarray(start));
      return lines;
    },
  };
}
