/** The agent's build id: SHA-256 of its bundle. The controller hashes the bundle it ships and refuses an agent of another build. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export function computeBuildId(moduleUrl: string): string {
  return createHash('sha256')
    .update(readFileSync(fileURLToPath(moduleUrl)))
    .digest('hex');
}
