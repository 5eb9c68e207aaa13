import { describe, expect, it } from 'vitest';
import { findMissingPackages } from './node-packages.mjs';

const MACHINE = { platform: 'linux', arch: 'x64' };
const WANTED = {
  packages: {
    '': { version: '1.0.0' },
    'packages/agent': { version: '1.0.0' },
    'node_modules/zod': { version: '4.6.7' },
    'node_modules/a/node_modules/b': { version: '1.0.0' },
    'node_modules/@esbuild/linux-x64': { version: '1.0.0', optional: true, os: ['linux'], cpu: ['x64'] },
    'node_modules/@esbuild/darwin-arm64': { version: '1.0.0', optional: true, os: ['darwin'], cpu: ['arm64'] },
  },
};
const INSTALLED = {
  packages: {
    'node_modules/zod': { version: '4.6.7' },
    'node_modules/a/node_modules/b': { version: '1.0.0' },
    'node_modules/@esbuild/linux-x64': { version: '1.0.0' },
  },
};

describe('node packages', () => {
  it('are complete without the parts for other machines', () => {
    expect(findMissingPackages(WANTED, INSTALLED, MACHINE)).toEqual([]);
  });

  it('are incomplete on another machine than the one they were installed on', () => {
    const found = findMissingPackages(WANTED, INSTALLED, { platform: 'darwin', arch: 'arm64' });
    expect(found).toEqual(['@esbuild/darwin-arm64']);
  });

  it('are incomplete when a version changed', () => {
    const installed = { packages: { ...INSTALLED.packages, 'node_modules/zod': { version: '4.0.0' } } };
    expect(findMissingPackages(WANTED, installed, MACHINE)).toEqual(['zod']);
  });

  it('are all missing when nothing is installed or the installation was interrupted', () => {
    expect(findMissingPackages(WANTED, null, MACHINE)).toEqual(['zod', 'b', '@esbuild/linux-x64']);
  });
});
