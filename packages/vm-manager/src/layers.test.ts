/** Installing CLI layers: bundled ones, npm packages from a registry and Debian packages from an archive of the test's own. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { providerDefinitionSchema, type ProviderDefinition } from '@vestibule/protocol/provider-definition';
import { createProviderLayers, toProgramPath } from './layers.ts';

const dir = mkdtempSync(join(tmpdir(), 'vestibule-layers-'));
const requests: string[] = [];
let server: Server;
let registry = '';
let layersDir = '';

function define(install: ProviderDefinition['install']): ProviderDefinition {
  return providerDefinitionSchema.parse({
    id: 'tool',
    name: 'Tool',
    description: 'A tool.',
    install,
    login: {},
    credential: { files: [{ path: '.tool', format: 'text' }] },
  });
}
const BUNDLED = define({ kind: 'bundled', folder: 'tool', version: '1.0.0', bin: 'tool.mjs' });
const NPM = define({ kind: 'npm', package: 'tool', version: '1.2.3', bin: 'tool' });
const DEBIAN = define({ kind: 'debian', package: 'vestibule-tool', version: '1.0~rc+1-1', bin: 'usr/bin/tool' });

beforeAll(async () => {
  mkdirSync(join(dir, 'tool', 'parts'), { recursive: true });
  writeFileSync(join(dir, 'tool', 'tool.mjs'), '#!/usr/bin/env node\n', { mode: 0o777 });
  writeFileSync(join(dir, 'tool', 'parts', 'part.txt'), 'part', { mode: 0o600 });
  const tarball = packTool();
  server = createServer((request, response) => {
    requests.push(request.url ?? '');
    if (request.url === '/tool') response.end(JSON.stringify(toPackument(tarball)));
    else if (request.url === '/mislabelled') response.end(JSON.stringify(toPackument(tarball, 'mislabelled')));
    else if (request.url?.endsWith('.tgz') === true) response.end(tarball);
    else response.writeHead(404).end('{}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  registry = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
beforeEach(() => {
  requests.length = 0;
  layersDir = mkdtempSync(join(dir, 'layers-'));
});
afterAll(() => {
  server.close();
  rmSync(dir, { recursive: true, force: true });
});

/** Its install script would leave a trace beside it. */
function packTool(): Buffer {
  const folder = join(dir, 'pack', 'package');
  mkdirSync(folder, { recursive: true });
  const manifest = {
    name: 'tool',
    version: '1.2.3',
    bin: { tool: 'run.js' },
    scripts: { postinstall: 'echo ran > ran.txt' },
  };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  writeFileSync(join(folder, 'run.js'), '#!/usr/bin/env node\n', { mode: 0o755 });
  return execFileSync('tar', ['-cz', '-C', join(dir, 'pack'), 'package']);
}
function toPackument(tarball: Buffer, name = 'tool') {
  const dist = { tarball: `${registry}/tool-1.2.3.tgz`, shasum: createHash('sha1').update(tarball).digest('hex') };
  const number = name === 'tool' ? '1.2.3' : '2.0.0';
  const version = { name, version: number, bin: { tool: 'run.js' }, hasInstallScript: true, dist };
  return { name, 'dist-tags': { latest: number }, versions: { [number]: version } };
}
/** Of one package, known to an apt that knows nothing else; returns its configuration. */
function makeArchive(): string {
  const [apt, packed] = [join(dir, 'apt'), join(dir, 'apt', 'packed')];
  for (const folder of ['archive', 'lists/partial', 'cache/archives/partial', 'packed/usr/bin', 'packed/DEBIAN'])
    mkdirSync(join(apt, folder), { recursive: true, mode: 0o755 });
  chmodSync(dir, 0o755);
  const control =
    'Package: vestibule-tool\nVersion: 1.0~rc+1-1\nArchitecture: all\nMaintainer: Nobody\nDescription: Tool\n';
  writeFileSync(join(packed, 'DEBIAN/control'), `${control}Depends: vestibule-absent\n`);
  writeFileSync(join(packed, 'DEBIAN/postinst'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  writeFileSync(join(packed, 'usr/bin/tool'), '#!/bin/sh\n', { mode: 0o4755 });
  const archive = join(apt, 'archive/tool.deb');
  execFileSync('dpkg-deb', ['--build', '--root-owner-group', packed, archive], { stdio: 'ignore' });
  const content = readFileSync(archive);
  const sha256 = createHash('sha256').update(content).digest('hex');
  writeFileSync(
    join(apt, 'archive/Packages'),
    `${control}Filename: ./tool.deb\nSize: ${content.length}\nSHA256: ${sha256}\n`,
  );
  writeFileSync(join(apt, 'sources.list'), `deb [trusted=yes] copy:${apt}/archive ./\n`);
  const settings = {
    'Dir::Etc::sourcelist': join(apt, 'sources.list'),
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::State::lists': join(apt, 'lists'),
    'Dir::State::status': '/dev/null',
    'Dir::Cache': join(apt, 'cache'),
  };
  const configuration = join(apt, 'apt.conf');
  writeFileSync(
    configuration,
    Object.entries(settings)
      .map(([name, value]) => `${name} "${value}";\n`)
      .join(''),
  );
  execFileSync('apt-get', ['update', '-o', 'APT::Sandbox::User=root'], {
    env: { PATH: process.env['PATH'], APT_CONFIG: configuration },
    stdio: 'ignore',
  });
  return configuration;
}
const open = (environment: Record<string, string> = { npm_config_registry: `${registry}/` }) =>
  createProviderLayers({ layersDir, environment });
const ignore = (): void => undefined;

it('copies a bundled program, owned by us and writable for nobody else', async () => {
  const layers = open();
  expect(layers.find(BUNDLED)).toBeNull();
  const layer = await layers.install(BUNDLED, dir, ignore);
  expect(layers.find(BUNDLED)).toBe(layer);
  expect(readdirSync(layersDir)).toHaveLength(1);
  const modes = ['.', 'tool.mjs', 'parts', 'parts/part.txt'].map((path) => lstatSync(join(layer, path)).mode & 0o7777);
  expect(modes).toEqual([0o755, 0o755, 0o755, 0o644]);
  expect(toProgramPath(BUNDLED)).toBe('/opt/vestibule/layer/tool.mjs');
});

it('installs a package from the registry this machine is set up for, without running its scripts', async () => {
  const told: string[] = [];
  const layer = await open().install(NPM, dir, (message) => told.push(message));
  expect(lstatSync(join(layer, 'node_modules/.bin/tool')).isSymbolicLink()).toBe(true);
  expect(existsSync(join(layer, 'node_modules/tool/ran.txt'))).toBe(false);
  expect(lstatSync(join(layer, 'node_modules/tool/run.js')).uid).toBe(process.getuid?.());
  expect(told[0]).toBe('Installing tool@1.2.3 from npm.');
  expect(toProgramPath(NPM)).toBe('/opt/vestibule/layer/node_modules/.bin/tool');
});

it('installs once for all who ask at the same time, here and in another process of the controller', async () => {
  const [here, there] = [open(), open()];
  const found = await Promise.all([
    here.install(NPM, dir, ignore),
    here.install(NPM, dir, ignore),
    there.install(NPM, dir, ignore),
  ]);
  expect(new Set(found).size).toBe(1);
  expect(requests.filter((url) => url.endsWith('.tgz'))).toHaveLength(1);
});

it('takes over from a process that died while installing', async () => {
  const layer = await open().install(BUNDLED, dir, ignore);
  rmSync(layer, { recursive: true });
  writeFileSync(`${layer}.lock`, JSON.stringify({ pid: process.pid, startTime: '1' }));
  expect(await open().install(BUNDLED, dir, ignore)).toBe(layer);
  expect(readdirSync(layersDir)).toHaveLength(1);
});

it('says what npm said when a version does not exist, and leaves nothing half-installed', async () => {
  const layers = open();
  const absent = define({ kind: 'npm', package: 'tool', version: '9.9.9', bin: 'tool' });
  await expect(layers.install(absent, dir, ignore)).rejects.toThrow(
    /npm install tool@9\.9\.9 exited with code 1: .*No matching version/,
  );
  expect(layers.find(absent)).toBeNull();
  expect(readdirSync(layersDir)).toEqual([]);
});

it('refuses what npm brought when it is another version than the pinned one', async () => {
  const mislabelled = define({ kind: 'npm', package: 'mislabelled', version: '2.0.0', bin: 'tool' });
  await expect(open().install(mislabelled, dir, ignore)).rejects.toThrow(
    'npm installed 1.2.3 of mislabelled, and 2.0.0 is pinned',
  );
  expect(readdirSync(layersDir)).toEqual([]);
});

it('finds a program by its path below node_modules, for this machine’s kind of processor', () => {
  const bin = '@tool/native-${arch}/tool';
  expect(toProgramPath(define({ kind: 'npm', package: 'tool', version: '1.2.3', bin }))).toBe(
    `/opt/vestibule/layer/node_modules/@tool/native-${process.arch}/tool`,
  );
});

const hasApt = existsSync('/usr/bin/apt-get') && existsSync('/usr/bin/dpkg-deb');
if (!hasApt) console.warn('skipped: Debian packages can be installed only where apt-get and dpkg-deb are');

describe.runIf(hasApt)("a package of Debian's archive", () => {
  let apt: { APT_CONFIG: string };
  beforeAll(() => {
    apt = { APT_CONFIG: makeArchive() };
  });

  it('is unpacked without its scripts and without what it depends on', async () => {
    const told: string[] = [];
    const layer = await open(apt).install(DEBIAN, dir, (message) => told.push(message));
    expect(readdirSync(layer)).toEqual(['usr']);
    const { mode, uid } = lstatSync(join(layer, 'usr/bin/tool'));
    expect([mode & 0o7777, uid]).toEqual([0o755, process.getuid?.()]);
    expect(told[0]).toBe("Installing vestibule-tool=1.0~rc+1-1 from Debian's archive.");
    expect(toProgramPath(DEBIAN)).toBe('/opt/vestibule/layer/usr/bin/tool');
  });

  it.each([
    { package: 'vestibule-tool', version: '9.9' },
    { package: 'vestibule-absent', version: '1.0' },
  ])('that apt does not know is said in words that help, and leaves nothing: $package=$version', async (named) => {
    const absent = define({ kind: 'debian', ...named, bin: 'usr/bin/tool' });
    await expect(open(apt).install(absent, dir, ignore)).rejects.toThrow(
      new RegExp(`does not know version .* of ${named.package}\\. Run "apt-get update"`),
    );
    expect(readdirSync(layersDir)).toEqual([]);
  });
});

it.each([
  [define({ kind: 'npm', package: 'tool', version: '1.2.3', bin: 'other' }), /has no program "other"/],
  [define({ kind: 'bundled', folder: 'tool', version: '1.0.0', bin: 'other' }), /has no program "other"/],
  [
    define({ kind: 'bundled', folder: 'absent', version: '1.0.0', bin: 'tool.mjs' }),
    /absent of the definition does not exist/,
  ],
])('refuses a definition whose program is not there (%#)', async (definition, words) => {
  await expect(open().install(definition, dir, ignore)).rejects.toThrow(words);
  expect(readdirSync(layersDir)).toEqual([]);
});

it('has a layer of its own for each version and way to install', async () => {
  await open().install(BUNDLED, dir, ignore);
  const next = define({ kind: 'bundled', folder: 'tool', version: '1.0.1', bin: 'tool.mjs' });
  expect(open().find(next)).toBeNull();
  expect(await open().install(next, dir, ignore)).not.toBe(open().find(BUNDLED));
  expect(readFileSync(join(open().find(BUNDLED) ?? '', 'parts/part.txt'), 'utf8')).toBe('part');
});
