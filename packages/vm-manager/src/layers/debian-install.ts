/**
 * Unpacks one pinned package of the machine's own Debian archive, without what it depends on and without its scripts. The machine's
 * system stays as it is.
 */
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProviderDefinition } from '@vestibule/protocol/provider-definition';
import { installUnprivileged, toLastLines, type InstallRequest } from './unprivileged-install.ts';

type DebianInstall = Extract<ProviderDefinition['install'], { kind: 'debian' }>;

/** apt's words, in its language C, for a package or version that its lists do not have. */
const UNKNOWN =
  /Unable to locate package|Version '[^']*' for '[^']*' was not found|Can't select versions|no candidate/i;

/** Rejects with words for the operator when apt has no such version, else with apt's last lines. */
export async function installFromDebian(install: DebianInstall, request: InstallRequest): Promise<void> {
  const spec = `${install.package}=${install.version}`;
  await installUnprivileged(request, `Installing ${spec} from Debian's archive`, async ({ home, tree, give, run }) => {
    const [downloads, cache] = [join(home, 'downloads'), join(home, 'cache')];
    await Promise.all([mkdir(downloads), mkdir(join(cache, 'archives', 'partial'), { recursive: true })]);
    await Promise.all([downloads, cache, join(cache, 'archives'), join(cache, 'archives', 'partial')].map(give));
    await run(['apt-get', 'download', '-o', `Dir::Cache=${cache}`, spec], {
      cwd: downloads,
      toProblem: (said, how) =>
        UNKNOWN.test(said) ? toUnknown(install) : `apt-get download ${spec} ${how}: ${toLastLines(said)}`,
    });
    const archive = (await readdir(downloads)).find((name) => name.endsWith('.deb'));
    if (archive === undefined) throw new Error(`apt-get download ${spec} brought no package`);
    await run(['dpkg-deb', '-x', join(downloads, archive), tree], {
      cwd: tree,
      toProblem: (said, how) => `unpacking ${archive} ${how}: ${toLastLines(said)}`,
    });
  });
}

function toUnknown({ package: name, version }: DebianInstall): string {
  return (
    `apt on this server does not know version ${version} of ${name}. Run "apt-get update" as root; if that does not help, ` +
    `pin the version that "apt-cache policy ${name}" shows in a definition of your own`
  );
}
