/** Writes an archive in the format "ustar", for a drive that a VM reads its configuration from. */

const BLOCK = 512;
const MAX_NAME = 100;

/** Files by path, at most 100 bytes each; the folders between come by themselves. Everything belongs to root, readable by everybody. */
export function toTar(files: Readonly<Record<string, string | Buffer>>): Buffer {
  const members = Object.entries(files).flatMap(([path, text]) => {
    const content = Buffer.from(text);
    return [toTarHeader(path, content.length), pad(content)];
  });
  return Buffer.concat([...members, Buffer.alloc(2 * BLOCK)]);
}

/** Of a file of root's, readable by everybody, of the year 1970. Below 8 GiB. */
export function toTarHeader(path: string, bytes: number): Buffer {
  if (Buffer.byteLength(path) > MAX_NAME) throw new Error(`too long a name for a tar: ${path}`);
  const header = Buffer.alloc(BLOCK);
  header.write(path, 0);
  writeOctal(header, 0o644, 100, 8);
  writeOctal(header, 0, 108, 8);
  writeOctal(header, 0, 116, 8);
  writeOctal(header, bytes, 124, 12);
  writeOctal(header, 0, 136, 12);
  header.write('        0', 148);
  header.write('ustar\x0000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}

function writeOctal(header: Buffer, value: number, at: number, width: number): void {
  header.write(value.toString(8).padStart(width - 1, '0'), at);
}

function pad(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK)]);
}
