/** The image that tests start VMs from, as it was published; and builds of it again, in a place of their own with the same cache. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TEST_IMAGES_DIR } from '../testing-images-dir.ts';
import { buildImage, type BuildOptions } from './build-image.ts';
import type { BuildEvent } from './build-event.ts';
import { findCurrentImage, type Image } from './image-store.ts';
import { measureFile } from './layer-tar.ts';

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));
const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
const WAIT_MS = 240_000;

const image = await findCurrentImage(TEST_IMAGES_DIR);
const canBuild = image !== null && process.geteuid?.() === 0;
if (!canBuild) {
  const words =
    'no image was built for tests, or this user is not root: npm test builds it; npx vestibule images build';
  if ((process.env['REQUIRE'] ?? '').split(',').includes('images'))
    throw new Error(`REQUIRE lists images, but ${words}`);
  console.warn(`skipped: ${words}`);
}

type Entry = { mode: string; owner: string; path: string };

/** All entries of the layers, as tar lists them. */
function listLayers({ pathOf }: Image): Entry[] {
  const archive = pathOf('oci');
  const read = (name: string): string => execFileSync('tar', ['-xOf', archive, name], { encoding: 'utf8' });
  const toPath = ({ digest }: { digest: string }): string => `blobs/${digest.replace(':', '/')}`;
  const index = JSON.parse(read('index.json')) as { manifests: [{ digest: string }] };
  const { layers } = JSON.parse(read(toPath(index.manifests[0]))) as { layers: { digest: string }[] };
  return layers.flatMap((layer) => {
    const tar = execFileSync('tar', ['-xOf', archive, toPath(layer)], { maxBuffer: 2 ** 31 - 1 });
    const listing = execFileSync('tar', ['-tv', '--numeric-owner'], {
      input: tar,
      encoding: 'utf8',
      maxBuffer: 2 ** 28,
    });
    return listing
      .trim()
      .split('\n')
      .map((line) => /^(\S+) (\S+) +\S+ \S+ \S+ \.(\/.*?)(?: (?:->|link to) .*)?$/.exec(line))
      .map((parts) => ({ mode: parts?.[1] ?? '', owner: parts?.[2] ?? '', path: parts?.[3] ?? '?' }));
  });
}

describe.runIf(canBuild)('the image that was built', () => {
  const built = image as Image;
  let entries: Entry[] = [];
  beforeAll(() => void (entries = listLayers(built)), WAIT_MS);
  const find = (path: string): Entry | undefined => entries.find((entry) => entry.path === path);

  it('has the files that its manifest names, byte for byte', async () => {
    for (const [name, { bytes, sha256 }] of Object.entries(built.manifest.files))
      expect([name, await measureFile(built.pathOf(name as keyof typeof built.manifest.files))]).toEqual([
        name,
        { bytes, sha256 },
      ]);
  });

  it('tells the version of everything that was tried inside, and of every package', () => {
    const { tools, packages, kernelVersion } = built.manifest;
    expect(Object.keys(tools)).toEqual(
      expect.arrayContaining(['node', 'chromium', 'Xtigervnc', 'openbox', 'emoji font', 'terminal']),
    );
    expect(packages['chromium']).toContain(tools['chromium']);
    expect(kernelVersion).toMatch(/^\d+\.\d+\.\d+-\d+-cloud-amd64 \(/);
  });

  it('has a clean root for VMs with a kernel of their own, in a size near that of its contents', () => {
    execFileSync('e2fsck', ['-fn', built.pathOf('rootfs')]);
    const facts = execFileSync('dumpe2fs', ['-h', built.pathOf('rootfs')], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const read = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(facts)?.[1]);
    expect(read('Free blocks') / read('Block count')).toBeLessThan(0.1);
    expect(facts).not.toContain('has_journal');
  });

  it('gives nobody a privilege but the browser its sandbox', () => {
    expect(entries.length).toBeGreaterThan(5000);
    expect(entries.filter(({ path }) => path === '?')).toEqual([]);
    const privileged = entries.filter(({ mode }) => /[sS]/.test(mode.slice(1, 7)));
    expect(privileged.map(({ path }) => path)).toEqual(['/usr/lib/chromium/chrome-sandbox']);
    const open = entries.filter(({ mode }) => mode[8] === 'w' && !mode.startsWith('l') && mode[9] !== 't');
    expect(open).toEqual([]);
    const persons = entries.filter(({ owner }) => owner === '1000/1000').map(({ path }) => path);
    expect(persons).toEqual(['/home/person/', '/run/vestibule/']);
  });

  it('has what a VM needs, where every runtime looks for it', () => {
    expect(find('/opt/vestibule/bin/node')?.mode).toBe('-rwxr-xr-x');
    expect(find('/opt/vestibule/agent/agent.mjs')?.mode).toBe('-rw-r--r--');
    for (const name of ['init', 'container-init'])
      expect(find(`/opt/vestibule/guest/${name}`)?.mode).toBe('-rwxr-xr-x');
    expect(find('/etc/chromium/policies/managed/vestibule.json')).toBeDefined();
    for (const path of ['/opt/vestibule/layer/', '/opt/vestibule/authorities/']) expect(find(path)).toBeDefined();
  });

  it('holds no CLI of a vendor, and nothing of the machine or the day it was built on', () => {
    const names = /claude|codex|gemini|@google|@openai|anthropic|wrangler|gcloud/i;
    const traces = /^\/etc\/ssh\/.|^\/var\/log\/.|^\/var\/lib\/apt\/lists\/.|\.deb$|^\/root\/.|^\/tmp\/.|^\/dev\/./;
    expect(entries.filter(({ path }) => names.test(path) || traces.test(path))).toEqual([]);
    const said = execFileSync('debugfs', ['-R', 'cat /etc/machine-id', built.pathOf('rootfs')], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    expect(said.length).toBe(0);
  });
});

describe.runIf(canBuild)('building an image', () => {
  const built = image as Image;
  let imagesDir = '';
  const events: BuildEvent[] = [];
  const toOptions = (changes: Partial<BuildOptions['product']> = {}): BuildOptions => ({
    ...{ imagesDir, isFresh: false, environment: {}, tell: (event) => void events.push(event) },
    recipeFile: join(ROOT, 'images/recipe.json'),
    lockFile: join(ROOT, 'images/packages.lock'),
    product: {
      agentDir: join(ROOT, 'dist/agent'),
      policyFile: join(ROOT, 'images/chromium-policy.json'),
      guestDirs: [join(ROOT, 'images/guest'), join(ROOT, 'dist/guest')],
      ...changes,
    },
    initramfsInit: join(ROOT, 'images/guest/initramfs-init'),
  });
  const current = (): string => readlinkSync(join(imagesDir, 'current'));
  const leftovers = (): string[] =>
    [...readdirSync(imagesDir), ...readdirSync(join(imagesDir, '.cache'))].filter((name) => name.includes('partial'));

  beforeAll(() => {
    imagesDir = mkdtempSync(join(dirname(TEST_IMAGES_DIR), 'images-test-'));
    execFileSync('cp', ['-al', join(TEST_IMAGES_DIR, '.cache'), join(imagesDir, '.cache')]);
    rmSync(join(imagesDir, '.cache', 'lock'), { force: true });
  }, WAIT_MS);
  afterAll(() => rmSync(imagesDir, { recursive: true, force: true }), WAIT_MS);

  function startProgram(): ChildProcess {
    const folders = ['--images-dir', imagesDir, '--vms-dir', join(imagesDir, 'vms')];
    return spawn(process.execPath, ['--import', 'tsx', MAIN, 'build', '--json', ...folders], { cwd: ROOT });
  }

  async function waitForStage(program: ChildProcess, stage: string): Promise<void> {
    for await (const line of createInterface({ input: program.stdout! }))
      if (line.includes(`"stage_started","stage":"${stage}"`)) return;
    throw new Error(`the build ended before its stage ${stage}`);
  }

  it(
    'publishes nothing when it is killed, and nothing that it started goes on',
    async () => {
      const program = startProgram();
      await waitForStage(program, 'root');
      program.kill('SIGKILL');
      await once(program, 'exit');
      expect(readdirSync(imagesDir).filter((name) => !name.endsWith('.partial'))).toEqual(['.cache']);
      await expect.poll(() => findProcessesOf(imagesDir), { timeout: 20_000 }).toEqual([]);
    },
    WAIT_MS,
  );

  it(
    'makes the same image again, in another place, after a killed build',
    async () => {
      const { image: again, isNew } = await buildImage(toOptions());
      expect(isNew).toBe(true);
      expect(leftovers()).toEqual([]);
      const { manifest } = again;
      expect(toContents(manifest)).toEqual(toContents(built.manifest));
      expect(treeOf(again)).toEqual(treeOf(built));
      expect(current()).toBe(manifest.imageId);
    },
    WAIT_MS,
  );

  it(
    'does nothing when nothing changed, and waits for a build that goes on',
    async () => {
      const before = current();
      events.length = 0;
      const results = await Promise.all([buildImage(toOptions()), buildImage(toOptions())]);
      expect(results.map(({ image: { manifest }, isNew }) => [manifest.imageId, isNew])).toEqual([
        [before, false],
        [before, false],
      ]);
      const made = events.filter((event) => event.type === 'stage_finished' && !event.isCached);
      expect(new Set(made.map((event) => (event.type === 'stage_finished' ? event.stage : '')))).toEqual(
        new Set(['product']),
      );
      expect(events).toContainEqual({
        type: 'warning',
        words: 'Another process builds an image here; waiting for it.',
      });
    },
    WAIT_MS,
  );

  it(
    'leaves the image before it in its place when the agent inside does not work',
    async () => {
      const before = current();
      const agentDir = mkdtempSync(join(imagesDir, '.cache', 'agent-'));
      cpSync(join(ROOT, 'dist/agent'), agentDir, { recursive: true });
      appendFileSync(join(agentDir, 'agent.mjs'), '\nthrow new Error("broken on purpose");\n');
      await expect(buildImage(toOptions({ agentDir }))).rejects.toThrow(
        /agent inside of the image does not work[^]*broken on purpose/,
      );
      rmSync(agentDir, { recursive: true });
      expect(current()).toBe(before);
      expect(leftovers()).toEqual([]);
      expect(existsSync(join(imagesDir, before, 'manifest.json'))).toBe(true);
    },
    WAIT_MS,
  );
});

/** All but what tells when it was made. */
function toContents(manifest: Image['manifest']): object {
  const { files } = manifest;
  return { ...manifest, builtAt: null, files: { ...files, rootfs: files.rootfs.bytes } };
}

/** Of the ext4 root: names, modes, owners, sizes and times of a few folders, as the file system has them. */
function treeOf({ pathOf }: Image): string[] {
  const folders = ['/', '/etc', '/opt/vestibule/guest', '/usr/lib/chromium', '/var/cache/fontconfig'];
  const commands = folders.map((folder) => `ls -l ${folder}`).join('\n');
  const said = execFileSync('debugfs', ['-f', '-', pathOf('rootfs')], { input: commands, encoding: 'utf8' });
  // The number of the inode comes first.
  return said
    .split('\n')
    .map((line) => line.replace(/^ *\d+ /, ''))
    .toSorted();
}

/** By argv; this process has none of the folder. */
function findProcessesOf(dir: string): string[] {
  const read = (pid: string): string => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    } catch {
      return '';
    }
  };
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(read)
    .filter((argv) => argv.includes(dir));
}
