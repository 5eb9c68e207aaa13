import { expect, it } from 'vitest';
import { selectVmFiles, takeRuntimes, toPackagedRuntimes } from './test-runtimes.mjs';

it('takes the runtimes from the flag, then the environment, and leaves the other arguments', () => {
  const environment = { TEST_RUNTIMES: 'qemu' };
  expect(takeRuntimes(['vm', '--runtime', 'process,container', '-t', 'kill'], environment)).toEqual({
    runtimes: ['process', 'container'],
    rest: ['vm', '-t', 'kill'],
  });
  expect(takeRuntimes(['vm', '--runtime=firecracker'], {}).runtimes).toEqual(['firecracker']);
  expect(takeRuntimes(['vm'], environment)).toEqual({ runtimes: ['qemu'], rest: ['vm'] });
  expect(takeRuntimes([], {}).runtimes).toEqual(['process', 'container', 'firecracker', 'qemu-boot']);
});

it('names the runtimes there are to one who misspelled it or named none', () => {
  const names = 'Names: process, container, qemu, firecracker, qemu-boot.';
  expect(() => takeRuntimes(['--runtime', 'quemu'], {})).toThrow(`There is no runtime "quemu" to test. ${names}`);
  expect(() => takeRuntimes(['--runtime'], {})).toThrow('There is no runtime "" to test.');
});

const FILES = [
  'a/container-runtime.vm.test.ts',
  'a/firecracker-double.vm.test.ts',
  'a/process-network.vm.test.ts',
  'a/qemu-boot.vm.test.ts',
  'a/qemu-runtime.vm.test.ts',
  'b/image-build.vm.test.ts',
  'b/images.vm.test.ts',
  'b/oauth-agent.vm.test.ts',
];

it('selects files by the runtime they are about, and leaves none out that is about no runtime', () => {
  expect(selectVmFiles(FILES, ['process'])).toEqual(['a/process-network.vm.test.ts', 'b/oauth-agent.vm.test.ts']);
  expect(selectVmFiles(FILES, ['qemu-boot'])).toEqual([
    'a/qemu-boot.vm.test.ts',
    'b/image-build.vm.test.ts',
    'b/images.vm.test.ts',
    'b/oauth-agent.vm.test.ts',
  ]);
  expect(selectVmFiles(FILES, ['process', 'container', 'qemu', 'firecracker'])).toEqual(FILES);
});

it('needs what qemu needs for a part of its tests, too', () => {
  expect(toPackagedRuntimes(['qemu-boot', 'process'])).toEqual(['process', 'qemu']);
});
