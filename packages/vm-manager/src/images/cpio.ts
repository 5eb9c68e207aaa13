/** Writes the archive that Linux takes as its first file system: cpio in the format "newc". The same entries make the same bytes. */

export type CpioEntry = {
  /** Below the root, without a leading slash. */
  path: string;
} & ({ kind: 'folder' } | { kind: 'file'; content: Buffer; mode: number } | { kind: 'link'; target: string });

const TYPES = { folder: 0o040755, file: 0o100000, link: 0o120777 } as const;
const END = 'TRAILER!!!';

/** Folders must come before what is in them. Everything belongs to root. */
export function toCpio(entries: readonly CpioEntry[]): Buffer {
  const parts = entries.map((entry, index) => toMember(entry.path, toMode(entry), toContent(entry), index + 1));
  return Buffer.concat([...parts, toMember(END, 0, Buffer.alloc(0), 0)]);
}

function toMode(entry: CpioEntry): number {
  return entry.kind === 'file' ? TYPES.file | entry.mode : TYPES[entry.kind];
}

function toContent(entry: CpioEntry): Buffer {
  if (entry.kind === 'folder') return Buffer.alloc(0);
  return entry.kind === 'file' ? entry.content : Buffer.from(entry.target);
}

/** Thirteen numbers of eight hexadecimal digits, the name with a zero byte, the content; both padded to four bytes. */
function toMember(name: string, mode: number, content: Buffer, inode: number): Buffer {
  const nameBytes = Buffer.from(`${name}\0`);
  const [uid, gid, links, time, device] = [0, 0, 1, 0, 0];
  const numbers = [
    ...[inode, mode, uid, gid, links, time, content.length],
    ...[device, device, device, device, nameBytes.length, 0],
  ];
  const header = Buffer.from(`070701${numbers.map((number) => number.toString(16).padStart(8, '0')).join('')}`);
  return Buffer.concat([pad(Buffer.concat([header, nameBytes])), pad(content)]);
}

function pad(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
}
