/** Finds which program listens on a TCP port, by /proc (Linux). Tells the program's name only: arguments may hold secrets. */
import { readFile, readdir, readlink } from 'node:fs/promises';

export type PortHolder = { pid: number; program: string };

const LISTENING = '0A';

/** null when nobody listens, on other systems, and when the program is another user's. */
export async function findPortHolder(port: number): Promise<PortHolder | null> {
  const inodes = await findListeningInodes(port);
  if (inodes.size === 0) return null;
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  for (const pid of pids) {
    if (await holdsSocket(pid, inodes)) {
      const program = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => 'a program');
      return { pid: Number(pid), program: program.trim() };
    }
  }
  return null;
}

/** @see proc_pid_net(5): local address is `HEX:PORT`, the 10th field is the socket's inode. */
async function findListeningInodes(port: number): Promise<Set<string>> {
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
  const tables = await Promise.all(
    ['/proc/net/tcp', '/proc/net/tcp6'].map((path) => readFile(path, 'utf8').catch(() => '')),
  );
  const rows = tables.flatMap((table) => table.split('\n').map((line) => line.trim().split(/\s+/)));
  const held = rows.filter((fields) => fields[1]?.endsWith(`:${hexPort}`) === true && fields[3] === LISTENING);
  return new Set(held.map((fields) => `socket:[${fields[9]}]`));
}

async function holdsSocket(pid: string, inodes: ReadonlySet<string>): Promise<boolean> {
  const folder = `/proc/${pid}/fd`;
  for (const fd of await readdir(folder).catch(() => [])) {
    if (inodes.has(await readlink(`${folder}/${fd}`).catch(() => ''))) return true;
  }
  return false;
}
