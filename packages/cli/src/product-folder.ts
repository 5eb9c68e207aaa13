/** Where Vestibule itself is, for the programs of other packages that are started: the folder of its package.json. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export type ProductFolder = {
  root: string;
  /** Runs TypeScript. */
  tsx: string;
  build: string;
  controller: string;
  checkProviderFile: string;
  /** Builds, lists and removes images. */
  images: string;
  doctor: string;
};

function isRoot(folder: string): boolean {
  const file = join(folder, 'package.json');
  return existsSync(file) && (JSON.parse(readFileSync(file, 'utf8')) as { name?: string }).name === 'vestibule';
}

export function findProductFolder(moduleUrl: string = import.meta.url): ProductFolder {
  let root = dirname(fileURLToPath(moduleUrl));
  while (!isRoot(root)) {
    if (dirname(root) === root) throw new Error('Vestibule’s own package.json was not found above its command');
    root = dirname(root);
  }
  return {
    root,
    tsx: join(root, 'node_modules', 'tsx', 'dist', 'cli.mjs'),
    build: join(root, 'scripts', 'build.ts'),
    controller: join(root, 'dist', 'controller', 'main.mjs'),
    checkProviderFile: join(root, 'packages', 'controller', 'src', 'check-provider-file.ts'),
    images: join(root, 'packages', 'vm-manager', 'src', 'images', 'main.ts'),
    doctor: join(root, 'packages', 'controller', 'src', 'doctor.ts'),
  };
}
