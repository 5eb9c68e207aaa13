/** What a browser VM looks like from within: the same under every runtime, so that agent, CLI layers and tests need not know which it is. */
import { dirname } from 'node:path';
import { toAuthorityEnvironment } from './authorities.ts';
import { toProxyEnvironment, type EgressPolicy } from './egress-policy.ts';

export const GUEST = {
  uid: 1000,
  home: '/home/person',
  runDir: '/run/vestibule',
  node: '/opt/vestibule/bin/node',
  agentDir: '/opt/vestibule/agent',
  layerDir: '/opt/vestibule/layer',
  authoritiesDir: '/opt/vestibule/authorities',
  agentSocket: '/run/vestibule/agent.sock',
  displaySocket: '/run/vestibule/rfb.sock',
  policyFile: '/etc/chromium/policies/managed/vestibule.json',
} as const;

/** Written for each VM by `vm-etc.ts`. */
export const VM_ETC_FILES = [
  'passwd',
  'group',
  'hosts',
  'hostname',
  'resolv.conf',
  'nsswitch.conf',
  'machine-id',
] as const;

export type GuestEnvironmentQuery = {
  vmId: string;
  chromiumPath: string;
  /** Whether the VM has the files of extra certificate authorities in `GUEST.authoritiesDir`. */
  hasAuthorities: boolean;
  proxy: EgressPolicy['proxy'];
  /** How many times longer than usual the agent waits for display and browser; see `Runtime.pace`. */
  pace: number;
};

/** All that the agent is started with: a CLI that sees CI or DEBIAN_FRONTEND would not open a browser. */
export function toGuestEnvironment({ vmId, chromiumPath, hasAuthorities, proxy, pace }: GuestEnvironmentQuery) {
  return {
    PATH: `${dirname(GUEST.node)}:/usr/bin:/bin`,
    HOME: GUEST.home,
    USER: 'person',
    LOGNAME: 'person',
    SHELL: '/bin/sh',
    LANG: 'C.UTF-8',
    VESTIBULE_VM_ID: vmId,
    VESTIBULE_AGENT_SOCKET: GUEST.agentSocket,
    VESTIBULE_RFB_SOCKET: GUEST.displaySocket,
    VESTIBULE_CHROMIUM: chromiumPath,
    VESTIBULE_PACE: String(pace),
    ...(hasAuthorities && toAuthorityEnvironment(GUEST.authoritiesDir)),
    ...toProxyEnvironment(proxy),
  };
}
