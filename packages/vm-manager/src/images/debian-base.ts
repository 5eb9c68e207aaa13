/**
 * The largest part of an image: Debian, minimal, with the browser, the display and what they need. Made by mmdebstrap, then stripped of
 * what a browser VM never uses and of everything that would differ from one build to the next.
 */
import { appendFile, chmod, chown, mkdir, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../system/run-command.ts';
import { GUEST } from '../vm/guest.ts';
import { runBuildCommand } from './build-command.ts';
import type { Recipe } from './recipe.ts';
import { removeMatching, settleTree } from './tree.ts';

export type DebianBaseQuery = {
  recipe: Recipe;
  sources: readonly string[];
  fetchOptions: readonly string[];
  environment: Readonly<Record<string, string>>;
  /** Empty. */
  tree: string;
  /** Packages that were fetched before, and now: those that are installed, and the kernel. */
  archivesDir: string;
  onProgress: (percent: number | null, words: string) => void;
};

/** Besides what the recipe leaves out: each holds something of this one build. */
const TRACES = [
  '/var/lib/apt/lists/*',
  '/var/cache/apt/*',
  '/var/cache/debconf/*',
  '/var/cache/ldconfig/*',
  '/var/lib/dpkg/*-old',
  '/var/log/*',
  '/tmp/*',
  '/run/*',
  '/dev/*',
  '/root/*',
  '/etc/*-',
  '/etc/apt/apt.conf.d/99mmdebstrap',
  '/etc/apt/sources.list.d/*',
  '/etc/dpkg/dpkg.cfg.d/99mmdebstrap',
  '/etc/machine-id',
  '/etc/ssh/*',
  '/var/lib/dbus/machine-id',
];

/** Files that are bound or written over in a VM: they must be there. */
const PLACEHOLDERS: Readonly<Record<string, string>> = {
  'etc/machine-id': '',
  'etc/hostname': 'vestibule\n',
  'etc/hosts': '127.0.0.1 localhost vestibule\n',
  'etc/resolv.conf': '',
  'etc/nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
  'etc/apt/sources.list': '',
};

export type DebianBase = {
  packages: Record<string, string>;
  /** The file, in `archivesDir`, of the kernel's package. */
  kernelArchive: string;
};

export async function makeDebianBase(query: DebianBaseQuery): Promise<DebianBase> {
  const { recipe, tree, archivesDir } = query;
  await mkdir(archivesDir, { recursive: true });
  await bootstrap(query);
  const packages = await listPackages(tree);
  const kernelArchive = await pruneArchives(archivesDir, packages);
  query.onProgress(null, 'removing what is not needed');
  await removeMatching(tree, [...recipe.removed, ...TRACES]);
  await addGuestPlaces(tree);
  const epochSeconds = Date.parse(recipe.epoch) / 1000;
  await settleTree(tree, recipe.privileged, epochSeconds);
  // Each cache names the time of its folder, and this settles both: else every browser would read all fonts again at its start.
  await runBuildCommand(['chroot', tree, 'fc-cache', '--system-only', '--force']);
  await rm(join(tree, 'var/cache/fontconfig/CACHEDIR.TAG'), { force: true });
  await settleTree(join(tree, 'var/cache/fontconfig'), [], epochSeconds);
  return { packages, kernelArchive };
}

const UNREACHABLE = /Failed to fetch|Temporary failure|Could not (?:connect|resolve)/;
const toHost = (source: string): string => / (https?:\/\/\S+) /.exec(source)?.[1] ?? source;

async function bootstrap(query: DebianBaseQuery): Promise<void> {
  const { recipe, sources, fetchOptions, tree, archivesDir, environment } = query;
  const archives = `'${archivesDir.replaceAll("'", String.raw`'\''`)}'`;
  const progress = createProgress(query.onProgress);
  const making = runBuildCommand(
    [
      ...['mmdebstrap', '--mode=root', '--variant=minbase', '--format=directory', '--verbose'],
      `--architectures=${recipe.architecture}`,
      `--include=${Object.keys(recipe.packages).join(',')}`,
      ...['Acquire::Languages "none"', 'APT::Install-Recommends "false"', ...fetchOptions].map(
        (line) => `--aptopt=${line}`,
      ),
      ...['force-unsafe-io', ...recipe.leftOut.map((path) => `path-exclude=${path}`)].map(
        (line) => `--dpkgopt=${line}`,
      ),
      // `sync-in` and `sync-out` are mmdebstrap's own; the other hooks are commands of a shell. The kernel is only fetched.
      ...['--skip=download/empty', '--skip=essential/unlink'],
      ...['--setup-hook=mkdir -p "$1/var/cache/apt/archives"'],
      ...[`--setup-hook=sync-in ${archives} /var/cache/apt/archives`],
      ...[`--customize-hook=chroot "$1" apt-get install --yes --download-only ${recipe.kernel}`],
      ...[`--customize-hook=sync-out /var/cache/apt/archives ${archives}`],
      ...[recipe.suite, tree, ...sources],
    ],
    { environment: { ...environment, DEBIAN_FRONTEND: 'noninteractive' }, onLine: progress },
  );
  await making.catch((error: Error) => {
    const words = UNREACHABLE.test(error.message)
      ? `Debian's packages could not be fetched. Is there a way to ${[...new Set(sources.map(toHost))].join(' and ')}, perhaps through a proxy?\n`
      : '';
    throw new Error(`${words}${error.message}`, { cause: error });
  });
}

/** About as many as there are; apt tells it only when the first of them are in place. */
const USUAL_PACKAGES = 330;

/** Counts packages in the words of apt and dpkg: each is fetched, unpacked and set up. */
function createProgress(onProgress: DebianBaseQuery['onProgress']): (line: string) => void {
  let [total, done, said] = [USUAL_PACKAGES, 0, -1];
  return (line) => {
    const count = /^\d+ upgraded, (\d+) newly installed/.exec(line)?.[1];
    if (count !== undefined) total = Math.max(total, Number(count));
    const step = /^(Get:|Unpacking|Setting up)\s*(\S+)/.exec(line);
    if (step === null) return;
    if (step[1] !== 'Get:') done += 1;
    const percent = Math.min(99, Math.floor((done * 100) / (2 * total)));
    if (step[1] !== 'Get:' && percent === said) return;
    said = percent;
    const what =
      step[1] === 'Get:' ? 'fetching packages' : `${step[1] === 'Unpacking' ? 'unpacking' : 'setting up'} ${step[2]}`;
    onProgress(percent, what);
  };
}

async function addGuestPlaces(tree: string): Promise<void> {
  for (const [path, text] of Object.entries(PLACEHOLDERS)) {
    await rm(join(tree, path), { force: true });
    await writeFile(join(tree, path), text, { mode: 0o644 });
  }
  const person = `person:x:${GUEST.uid}:`;
  await appendFile(join(tree, 'etc/passwd'), `${person}${GUEST.uid}::${GUEST.home}:/bin/sh\n`);
  await appendFile(join(tree, 'etc/group'), `${person}\n`);
  const folders = [
    GUEST.layerDir,
    GUEST.authoritiesDir,
    GUEST.runDir,
    GUEST.home,
    '/opt/vestibule/bin',
    '/opt/vestibule/guest',
  ];
  for (const folder of [...folders, GUEST.agentDir, '/etc/chromium/policies/managed'])
    await mkdir(join(tree, folder), { recursive: true, mode: 0o755 });
  for (const folder of [GUEST.home, GUEST.runDir]) {
    await chown(join(tree, folder), GUEST.uid, GUEST.uid);
    await chmod(join(tree, folder), 0o700);
  }
  await rm(join(tree, 'sbin/init'), { force: true });
  await symlink('/opt/vestibule/guest/init', join(tree, 'sbin/init'));
}

/** Name and version of each installed package. */
async function listPackages(tree: string): Promise<Record<string, string>> {
  const argv = ['dpkg-query', `--admindir=${join(tree, 'var/lib/dpkg')}`, '-W', '-f', '${Package}\t${Version}\n'];
  const lines = (await runCommand(argv)).trim().split('\n');
  return Object.fromEntries(
    lines.map((line) => line.split('\t') as [string, string]).toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** Keeps the archives of what is installed, and the newest kernel, whose name it returns. */
async function pruneArchives(archivesDir: string, packages: Readonly<Record<string, string>>): Promise<string> {
  const wanted = new Set(
    Object.entries(packages).map(([name, version]) => `${name}_${version.replaceAll(':', '%3a')}`),
  );
  const names = await readdir(archivesDir);
  const kernels = names.filter((name) => /^linux-image-\d.*\.deb$/.test(name));
  const aged = await Promise.all(
    kernels.map(async (name) => ({ name, at: (await stat(join(archivesDir, name))).mtimeMs })),
  );
  const kernel = aged.toSorted((a, b) => b.at - a.at)[0]?.name;
  if (kernel === undefined) throw new Error('Debian brought no kernel');
  for (const name of names) {
    const isWanted = name === kernel || (name.endsWith('.deb') && wanted.has(name.split('_').slice(0, 2).join('_')));
    if (!isWanted) await rm(join(archivesDir, name), { recursive: true });
  }
  return kernel;
}
