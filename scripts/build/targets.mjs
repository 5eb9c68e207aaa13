/**
 * What is built from what. Every target becomes `dist/<name>/`; it is stale when a file of its inputs changed.
 * @typedef {{ name: string, inputs: readonly string[] }} Target `inputs`: files and folders, from the root
 */

const SHARED = [
  'package-lock.json',
  'tsconfig.base.json',
  'packages/protocol/src',
  'scripts/build',
  'scripts/build.ts',
];

/** @type {readonly Target[]} */
export const TARGETS = [
  { name: 'controller', inputs: [...SHARED, 'packages/controller/src', 'packages/vm-manager/src'] },
  { name: 'agent', inputs: [...SHARED, 'packages/agent/src'] },
  { name: 'supervisor', inputs: [...SHARED, 'packages/vm-manager/src'] },
  { name: 'guest', inputs: [...SHARED, 'packages/vm-manager/src'] },
  { name: 'cli', inputs: [...SHARED, 'packages/cli/src'] },
  {
    name: 'web',
    inputs: [
      ...SHARED,
      'packages/web/src',
      'packages/web/index.html',
      'packages/web/vite.config.ts',
      'packages/web/public',
    ],
  },
];
