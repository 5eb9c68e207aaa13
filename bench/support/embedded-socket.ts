/** Where the embedded database of a data folder takes connections, read as any client would find it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export type EmbeddedSocket = { host: string; port: number; user: string; database: string };

/** In a role of the product. */
export function findEmbeddedSocket(dataDir: string, role: 'app' | 'owner' = 'app'): EmbeddedSocket {
  // Lines of postmaster.pid (PostgreSQL, miscadmin.h): pid, data folder, start time, port, socket folder.
  const [, , , port, host] = readFileSync(join(dataDir, 'postgres', 'data', 'postmaster.pid'), 'utf8').split('\n');
  return { host: host ?? '', port: Number(port), user: `vestibule_${role}`, database: 'vestibule' };
}
