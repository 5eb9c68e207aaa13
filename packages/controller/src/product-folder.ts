/** Where the product's own files are: bundled into `dist/` or run from the sources, the root is the folder of Vestibule's package.json. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export type ProductFolder = {
  root: string;
  version: string;
  agentDir: string;
  supervisorEntry: string;
  /** Null when the page was not built: development serves it elsewhere. */
  pageDir: string | null;
  providersDir: string;
  policyFile: string;
};

function isRoot(folder: string): boolean {
  const file = join(folder, 'package.json');
  return existsSync(file) && (JSON.parse(readFileSync(file, 'utf8')) as { name?: string }).name === 'vestibule';
}

export function findProductFolder(moduleUrl: string = import.meta.url): ProductFolder {
  let root = dirname(fileURLToPath(moduleUrl));
  while (!isRoot(root)) {
    if (dirname(root) === root) throw new Error('Vestibule’s own package.json was not found above its program');
    root = dirname(root);
  }
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const pageDir = join(root, 'dist', 'web');
  return {
    root,
    version,
    agentDir: join(root, 'dist', 'agent'),
    supervisorEntry: join(root, 'dist', 'supervisor', 'supervisor.mjs'),
    pageDir: existsSync(join(pageDir, 'index.html')) ? pageDir : null,
    providersDir: join(root, 'providers'),
    policyFile: join(root, 'images', 'chromium-policy.json'),
  };
}
