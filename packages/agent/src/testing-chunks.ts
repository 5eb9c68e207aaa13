/** Cuts bytes into chunks as a pipe might. */
export function cut(bytes: Buffer, sizes: Iterator<number>): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const size = Number(sizes.next().value);
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return chunks;
}
