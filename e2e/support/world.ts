/**
 * The world outside, for browser VMs: a network namespace with a name server and the fake identity provider under the names of many
 * vendors, which a VM reaches only by DNS and NAT. Needs root. Nothing of it is left when it is closed, also when it could not be made whole.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommand } from '@vestibule/vm-manager/system/run-command';
import type { Behaviour } from '../identity-provider/behaviour.ts';
import { VENDOR_HOSTS } from '../identity-provider/vendors.ts';
import { createCertificateAuthority, type CertificateAuthority } from './certificate-authority.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const IDENTITY_PROVIDER = 'http://idp.vestibule.test';

export type IssuedTokens = { user: string; code: string; accessToken: string; refreshToken: string };
export type WorldOptions = {
  users: Readonly<Record<string, string>>;
  /** API keys and the like: whose each is. */
  keys?: Readonly<Record<string, string>>;
  tokenPrefix: string;
  /** The vendors' hosts answer over TLS too, by an authority of this world's. Needs openssl. */
  tls?: boolean;
};
/** One thing that the identity provider did. */
export type JournalEntry = Partial<IssuedTokens> & { type: string; grant?: string; request?: string; status?: string };
export type World = {
  /** For the Vestibule whose VMs use this world; its `wrangler` signs in at the identity provider here. */
  env: Record<string, string>;
  /** Where the name server and every vendor are. */
  address: string;
  /** Null without `tls`. */
  authority: CertificateAuthority | null;
  /** What the identity provider gave for sign-ins, in order. */
  issued(): IssuedTokens[];
  journal(): JournalEntry[];
  /** Changes how the identity provider behaves, from the next request on. */
  behave(change: Partial<Behaviour>): Promise<void>;
  /** The argv that runs a program in this world's network, which leads nowhere else. */
  toJail(argv: readonly string[]): string[];
  close(): Promise<void>;
};

/** All that a program started ends with it. */
const UNSHARE = ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];

type Release = () => Promise<unknown> | void;

/** Of the networks for documentation: VMs reach the internet alone, and these are nobody's and look like it. */
function findFreeLink(): { host: string; own: string } {
  const entries = Object.values(networkInterfaces()).flatMap((found) => found ?? []);
  for (;;) {
    const [network, first] = [['198.51.100', '203.0.113'][randomInt(2)], randomInt(64) * 4];
    const link = { host: `${network}.${first + 1}`, own: `${network}.${first + 2}` };
    if (!entries.some(({ address }) => address === link.host)) return link;
  }
}

/** Makes the namespace, whose one device leads here. Returns its own address. */
async function createNamespace(name: string, releases: Release[]): Promise<string> {
  const device = `vw${name.slice(-8)}`;
  const { host, own } = findFreeLink();
  releases.push(() => runCommand(['ip', 'netns', 'del', name]));
  await runCommand(['ip', '-batch', '-'], {
    stdin: [
      `netns add ${name}`,
      `link add ${device} type veth peer name eth0 netns ${name}`,
      `addr add ${host}/30 dev ${device}`,
      `link set ${device} up\n`,
    ].join('\n'),
  });
  releases.push(() => runCommand(['ip', 'link', 'del', device]));
  await runCommand(['ip', '-n', name, '-batch', '-'], {
    stdin: `link set lo up\naddr add ${own}/30 dev eth0\nlink set eth0 up\n`,
  });
  return own;
}

/** Starts a program of ours in the namespace; resolves when it listens. It ends with its standard input, so also with this process. */
async function startInside(name: string, program: string, args: string[], input: string): Promise<ChildProcess> {
  const argv = [`--net=/run/netns/${name}`, '--', process.execPath, '--import', 'tsx', join('e2e', program), ...args];
  const child = spawn('nsenter', argv, { cwd: ROOT, stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.write(input);
  const failed = once(child, 'exit').then(([code]) => {
    throw new Error(`${program} ended with code ${code} before it listened`);
  });
  await Promise.race([once(child.stdout, 'data'), failed]);
  return child;
}

async function endProgram(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.stdin?.end();
  await exited;
}

/** The shipped definition, told to sign in at our identity provider: the CLI itself is left as it is. */
function writeDefinition(folder: string): void {
  const shipped = readFileSync(join(ROOT, 'providers', 'wrangler.yaml'), 'utf8');
  const section = '  environment:\n';
  if (!shipped.includes(section)) throw new Error('providers/wrangler.yaml has no environment to add to');
  const added = [
    `    WRANGLER_AUTH_URL: ${IDENTITY_PROVIDER}/oauth2/auth`,
    `    WRANGLER_TOKEN_URL: ${IDENTITY_PROVIDER}/oauth2/token`,
  ];
  writeFileSync(join(folder, 'wrangler.yaml'), shipped.replace(section, `${section}${added.join('\n')}\n`));
}

function readJournal(journal: string): JournalEntry[] {
  if (!existsSync(journal)) return [];
  const lines = readFileSync(journal, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as JournalEntry);
}

function toIssued(entries: readonly JournalEntry[]): IssuedTokens[] {
  const codes = entries.filter(({ type }) => type === 'allowed');
  return entries
    .filter(({ type, grant }) => type === 'issued' && grant !== 'refresh_token')
    .map(({ user = '', accessToken = '', refreshToken = '' }) => ({
      user,
      code: codes.find((entry) => entry.user === user)?.code ?? '',
      accessToken,
      refreshToken,
    }));
}

export async function createWorld(options: WorldOptions): Promise<World> {
  const releases: Release[] = [];
  const close = async (): Promise<void> => {
    for (const release of releases.splice(0).toReversed()) await release();
  };
  try {
    const folder = mkdtempSync(join(tmpdir(), 'vestibule-world-'));
    releases.push(() => rmSync(folder, { recursive: true, force: true }));
    // What a VM is given of it is read by other users.
    chmodSync(folder, 0o755);
    writeDefinition(folder);
    const journal = join(folder, 'issued.ndjson');
    const name = `vestibule-world-${randomBytes(4).toString('hex')}`;
    const address = await createNamespace(name, releases);
    const resolver = join(folder, 'resolv.conf');
    writeFileSync(resolver, `nameserver ${address}\n`);
    const { tls: isSecure = false, ...known } = options;
    const authority = isSecure ? await createCertificateAuthority(folder, VENDOR_HOSTS) : null;
    const tls = authority === null ? {} : { tls: { port: 443, ...authority } };
    const settings = `${JSON.stringify({ ...known, ...tls, host: address, port: 80, journal })}\n`;
    const names = VENDOR_HOSTS.map((host) => `${host}=${address}`);
    const [nameServer, identityProvider] = await Promise.all([
      startInside(name, 'name-server/main.ts', [address, ...names], ''),
      startInside(name, 'identity-provider/main.ts', [], settings),
    ]);
    for (const program of [nameServer, identityProvider]) releases.push(() => endProgram(program));
    return {
      env: { VESTIBULE_VM_DNS: address, VESTIBULE_PROVIDERS_DIR: folder },
      address,
      authority,
      issued: () => toIssued(readJournal(journal)),
      journal: () => readJournal(journal),
      async behave(change) {
        const taken = once(identityProvider.stdout!, 'data');
        identityProvider.stdin!.write(`${JSON.stringify(change)}\n`);
        await taken;
      },
      toJail: (argv) => {
        const script = 'mount --bind "$0" /etc/resolv.conf && "$@"; exit $?';
        return ['nsenter', `--net=/run/netns/${name}`, '--', ...UNSHARE, 'sh', '-c', script, resolver, ...argv];
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
