/** Where `npm run dev` keeps its data. */
import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ROOT, SCRATCH_DIR } from '../start/paths.mjs';

/** @param {string} folder */
function isPassableByAll(folder) {
  for (let at = folder; ; at = dirname(at)) {
    if ((statSync(at).mode & 0o001) === 0) return false;
    if (at === dirname(at)) return true;
  }
}

/**
 * In the clone, or, for root in a clone that others cannot enter (PostgreSQL then runs as another user), among temporary files.
 * @param {boolean} isRoot
 */
export function findDevDataDir(isRoot) {
  if (!isRoot || isPassableByAll(ROOT)) return join(SCRATCH_DIR, 'dev');
  return join(tmpdir(), `vestibule-dev-${createHash('sha256').update(ROOT).digest('hex').slice(0, 8)}`);
}
