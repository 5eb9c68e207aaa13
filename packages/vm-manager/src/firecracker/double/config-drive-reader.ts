/** Reads the drive with a VM's configuration as the guest's init does: a tar of regular files with short names. */
import { readFileSync } from 'node:fs';
import { AUTHORITY_FILES } from '../../vm/authorities.ts';
import { BROWSER_POLICY_FILE } from '../../vm/browser-policy.ts';
import { GUEST } from '../../vm/guest.ts';

export type GuestConfig = {
  /** Files of /etc, of extra authorities and of the browser's policy, by name. */
  etc: ReadonlyMap<string, Buffer>;
  diskMib: number;
  hasAuthorities: boolean;
  environment: Readonly<Record<string, string>>;
  address: string;
  gateway: string;
};

const BLOCK = 512;

export function readConfigDrive(path: string): GuestConfig {
  const files = readTar(readFileSync(path));
  const policyName = GUEST.policyFile.slice(1);
  const authorities = [AUTHORITY_FILES.extra, AUTHORITY_FILES.all].flatMap((name) => {
    const content = files.get(`authorities/${name}`);
    return content === undefined ? [] : [[name, content] as const];
  });
  const policy = files.get(policyName) ?? null;
  const hasAuthorities = authorities.length > 0;
  const etc = new Map<string, Buffer>([
    ...[...files].flatMap(([name, content]) =>
      name.startsWith('etc/') && name !== policyName ? [[name.slice('etc/'.length), content] as const] : [],
    ),
    ...authorities,
    ...(policy === null ? [] : [[BROWSER_POLICY_FILE, policy] as const]),
  ]);
  const machine = toVariables(files.get('machine'));
  return {
    ...{
      etc,
      hasAuthorities,
      diskMib: Number(machine['disk_mib']),
      environment: toVariables(files.get('environment')),
    },
    ...{ address: machine['address'] ?? '', gateway: machine['gateway'] ?? '' },
  };
}

function readTar(bytes: Buffer): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  for (let at = 0; at + BLOCK <= bytes.length;) {
    const header = bytes.subarray(at, at + BLOCK);
    if (header[0] === 0) break;
    const size = Number.parseInt(toText(header.subarray(124, 136)), 8);
    const [prefix, name] = [toText(header.subarray(345, 500)), toText(header.subarray(0, 100))];
    const isFile = header[156] === 0 || header[156] === 0x30;
    if (isFile) files.set(prefix === '' ? name : `${prefix}/${name}`, bytes.subarray(at + BLOCK, at + BLOCK + size));
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
  return files;
}

const toText = (field: Buffer): string => field.toString('latin1').replace(/\0.*$/s, '').trim();

function toVariables(content: Buffer | undefined): Record<string, string> {
  const lines = (content?.toString() ?? '').split('\n').filter((line) => line.includes('='));
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
}
