/** The few files of /etc that are written for a VM: its one person, its names, its resolver. */
import { randomBytes } from 'node:crypto';
import { GUEST, type VM_ETC_FILES } from './guest.ts';

/** `uid`: the VM's person, where that is not the usual one. */
export function toVmEtc(
  nameServers: readonly string[],
  uid: number = GUEST.uid,
): Record<(typeof VM_ETC_FILES)[number], string> {
  return {
    passwd: `root:x:0:0:root:/nonexistent:/usr/sbin/nologin\nperson:x:${uid}:${uid}::${GUEST.home}:/bin/sh\n`,
    group: `root:x:0:\nperson:x:${uid}:\n`,
    hosts: '127.0.0.1 localhost vestibule\n::1 localhost ip6-localhost\n',
    hostname: 'vestibule\n',
    'resolv.conf': nameServers.map((address) => `nameserver ${address}\n`).join(''),
    'nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
    // Never the machine's own: programs use it to recognise the machine.
    'machine-id': `${randomBytes(16).toString('hex')}\n`,
  };
}
