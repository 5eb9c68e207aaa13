/** The walls of a container, as they are asked of the engine. */
import { expect, it } from 'vitest';
import { toContainerBody, type ContainerSources } from './container-body.ts';

const SOURCES: ContainerSources = {
  ...{ vmId: 'vm_a_1', installationId: 'a', image: 'image', ociRuntime: null, uid: 61_003 },
  limits: { memoryMib: 2048, pids: 1024, cpus: 1.5, diskMib: 512 },
  ...{ runDir: '/vm/run', wireDir: '/vm/wire', homeDir: '/vm/home', etcDir: '/vm/etc' },
  ...{ hasAuthorities: false, layerDir: null, chromiumPath: '/usr/lib/chromium/chromium' },
  ...{ environment: { HOME: '/home/person' }, command: ['node'], overlays: {} },
};
const writable = (sources: ContainerSources) =>
  toContainerBody(sources)
    .HostConfig.Mounts.filter(({ ReadOnly }) => !ReadOnly)
    .map(({ Target }) => Target);
const readOnly = (sources: ContainerSources) =>
  Object.fromEntries(
    toContainerBody(sources)
      .HostConfig.Mounts.filter(({ ReadOnly }) => ReadOnly)
      .map(({ Target, Source }) => [Target, Source]),
  );

it('asks for no network, a read-only root, one capability, no privilege to gain, and limits without swap', () => {
  const { User, HostConfig } = toContainerBody(SOURCES);
  expect(User).toBe('61003:61003');
  expect(HostConfig).toMatchObject({
    NetworkMode: 'none',
    IpcMode: 'private',
    ReadonlyRootfs: true,
    CapDrop: ['ALL'],
    CapAdd: ['SYS_CHROOT'],
    SecurityOpt: ['no-new-privileges'],
    Memory: 2 ** 31,
    MemorySwap: 2 ** 31,
    PidsLimit: 1024,
    NanoCpus: 1_500_000_000,
  });
  expect(Object.keys(HostConfig)).not.toContain('Runtime');
  for (const key of ['Privileged', 'Devices', 'PidMode', 'UTSMode', 'PortBindings', 'Binds', 'VolumesFrom'])
    expect(Object.keys(HostConfig)).not.toContain(key);
});

it('lets it write to nothing of this machine but its home and its sockets', () => {
  const everything = { layerDir: '/layers/cli', hasAuthorities: true, overlays: { '/opt/x': '/x' } };
  for (const sources of [SOURCES, { ...SOURCES, ...everything }])
    expect(writable(sources)).toEqual(['/run/vestibule', '/home/person']);
});

it("shows it the policy and, of a browser that the operator installed, the folder and that browser's policy", () => {
  const policy = '/etc/chromium/policies/managed/vestibule.json';
  expect(readOnly(SOURCES)).toMatchObject({ [policy]: '/vm/etc/policy.json' });
  const chrome = readOnly({ ...SOURCES, chromiumPath: '/opt/google/chrome/chrome' });
  expect(chrome).toMatchObject({
    [policy]: '/vm/etc/policy.json',
    '/etc/opt/chrome/policies/managed/vestibule.json': '/vm/etc/policy.json',
    '/opt/google/chrome': '/opt/google/chrome',
  });
});

it('names the OCI runtime of the operator', () => {
  expect(toContainerBody({ ...SOURCES, ociRuntime: 'runsc' }).HostConfig).toMatchObject({ Runtime: 'runsc' });
});
