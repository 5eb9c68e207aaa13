/** Where things are in a clone, for the scripts that run before anything is installed. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Git-ignored folder for what the scripts themselves keep: locks, the data of `npm run dev`. */
export const SCRATCH_DIR = join(ROOT, '.vestibule');

/** Runs TypeScript; there once node packages are installed. */
export const TSX = join(ROOT, 'node_modules', 'tsx', 'dist', 'cli.mjs');
