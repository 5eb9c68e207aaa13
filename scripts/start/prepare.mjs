/** Set-up shared by `npm start`, `npm test` and `npm run dev`: node packages, then the build, one process at a time in a clone. */
import { areTargetsFresh } from '../build/freshness.mjs';
import { areNodePackagesCurrent, installNodePackages } from './node-packages.mjs';
import { ROOT, SCRATCH_DIR, TSX } from './paths.mjs';
import { runInTerminal } from './run-program.mjs';
import { withSetupLock } from './setup-lock.mjs';

/** @param {string} pid */
function sayWaiting(pid) {
  console.log(`Another start (process ${pid}) is setting up this clone; waiting for it…`);
}

/**
 * Installs node packages unless they are what package-lock.json says.
 * @param {{ install: boolean }} options
 * @returns {Promise<void>} rejects with a message for a person
 */
export async function ensureNodePackages({ install }) {
  if (areNodePackagesCurrent(ROOT)) return;
  if (!install) throw new Error('Node packages are missing or out of date. Run npm ci, or start without --no-install.');
  await withSetupLock(SCRATCH_DIR, sayWaiting, async () => {
    if (areNodePackagesCurrent(ROOT)) return;
    console.log('Installing node packages (once, about half a minute)…');
    await installNodePackages(ROOT);
  });
}

/** Builds what changed since the last build. Rejects with a message for a person. */
export async function ensureBuilt() {
  if (areTargetsFresh(ROOT)) return;
  console.log('Building…');
  const code = await runInTerminal(process.execPath, [TSX, 'scripts/build.ts'], { cwd: ROOT });
  if (code !== 0) throw new Error('The build failed; what it said is above.');
}
