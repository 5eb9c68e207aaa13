/** Splits a byte stream into lines of bounded length (newline-delimited JSON); a longer line is an error. */
export class LineTooLongError extends Error {
  constructor(maxBytes: number) {
    super(`a line is longer than ${maxBytes} bytes`);
    this.name = 'LineTooLongError';
  }
}

/** Yields whole lines without their newline, in order; an unfinished last line is dropped. Reads no faster than lines are taken. */
export async function* readLines(stream: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<string, void> {
  let parts: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    let from = 0;
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, from)) {
      parts.push(chunk.subarray(from, at));
      if (size + (at - from) > maxBytes) throw new LineTooLongError(maxBytes);
      yield Buffer.concat(parts).toString('utf8');
      parts = [];
      size = 0;
      from = at + 1;
    }
    const rest = chunk.subarray(from);
    parts.push(rest);
    size += rest.length;
    if (size > maxBytes) throw new LineTooLongError(maxBytes);
  }
}
