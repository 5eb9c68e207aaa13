/** One package of the machine's own Debian archive, unpacked into a folder: nothing is installed, none of its scripts run. */
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../system/run-command.ts';

const DOWNLOAD_MS = 10 * 60_000;
const UNPACK_MS = 2 * 60_000;

/** `spec`: a name, or `name=version`. Replaces what `tree` held; returns the package's version. Rejects with apt's words. */
export async function unpackDebianPackage(spec: string, tree: string): Promise<string> {
  const downloads = `${tree}.download`;
  await Promise.all([tree, downloads].map((dir) => rm(dir, { recursive: true, force: true })));
  await Promise.all([tree, downloads].map((dir) => mkdir(dir, { recursive: true })));
  try {
    const apt = ['apt-get', 'download', '-q', '-o', 'APT::Sandbox::User=', spec];
    await runCommand(apt, { cwd: downloads, timeoutMs: DOWNLOAD_MS });
    const archive = (await readdir(downloads)).find((name) => name.endsWith('.deb'));
    if (archive === undefined) throw new Error(`apt-get download ${spec} brought no package`);
    await runCommand(['dpkg-deb', '-x', join(downloads, archive), tree], { timeoutMs: UNPACK_MS });
    return (await runCommand(['dpkg-deb', '-f', join(downloads, archive), 'Version'])).trim();
  } finally {
    await rm(downloads, { recursive: true, force: true });
  }
}

/** What a package that only names another (`linux-image-cloud-amd64`) depends on, by a part of its name. */
export async function findDependency(name: string, part: string): Promise<string> {
  const fields = await runCommand(['apt-cache', 'show', '--no-all-versions', name]);
  const depends = /^Depends: (.+)$/m.exec(fields)?.[1] ?? '';
  const found = depends.split(/[,|]/).map((entry) => entry.trim().split(' ')[0] ?? '');
  const dependency = found.find((entry) => entry.includes(part));
  if (dependency === undefined) throw new Error(`${name} does not depend on any ${part}: ${depends}`);
  return dependency;
}
