/** The agent's settings: the only place in the agent that reads the environment. The runtime that starts the VM sets them. */
import { dirname, isAbsolute } from 'node:path';

export type AgentConfig = {
  vmId: string;
  /** Unix socket the controller dials. */
  agentSocket: string;
  /** Unix socket of the display (RFB). */
  rfbSocket: string;
  /** Chromium itself, not a wrapper script. */
  chromium: string;
  /** The person's home inside the VM, empty at the start; the CLI runs in it. */
  home: string;
  /** How many times slower than usual this machine is, at least 1: an emulated one is given that much longer. */
  pace: number;
  /** What the CLI and the desktop inherit; nothing of the agent's own settings is in it. */
  inherited: Readonly<Record<string, string>>;
};

/** A CLI that sees one of these believes that nobody is there to sign in, or speaks to a machine that is not the VM. */
const NEVER_INHERITED = ['CI', 'DEBIAN_FRONTEND', 'DISPLAY', 'XAUTHORITY', 'BROWSER', 'NODE_OPTIONS'];
/** Debian's wrapper script beside it adds switches of its own. */
const DEBIAN_CHROMIUM = '/usr/lib/chromium/chromium';
const SYSTEM_PATH = '/usr/local/bin:/usr/bin:/bin';

/** Throws one error that names every setting which is missing or wrong. */
export function loadConfig(environment: NodeJS.ProcessEnv = process.env): AgentConfig {
  const problems: string[] = [];
  const read = (name: string): string => {
    const value = environment[name];
    if (value) return value;
    problems.push(`${name} is not set`);
    return '';
  };
  const readPath = (name: string): string => {
    const value = read(name);
    if (value && !isAbsolute(value)) problems.push(`${name} is not an absolute path`);
    return value;
  };
  const config = {
    vmId: read('VESTIBULE_VM_ID'),
    agentSocket: readPath('VESTIBULE_AGENT_SOCKET'),
    rfbSocket: readPath('VESTIBULE_RFB_SOCKET'),
    chromium: environment.VESTIBULE_CHROMIUM ?? DEBIAN_CHROMIUM,
    home: readPath('HOME'),
    pace: toPace(environment.VESTIBULE_PACE, problems),
    inherited: toInherited(environment),
  };
  if (problems.length > 0) throw new Error(`the OAuth agent cannot start: ${problems.join('; ')}`);
  return Object.freeze(config);
}

function toPace(text: string | undefined, problems: string[]): number {
  const pace = text ? Number(text) : 1;
  if (!Number.isFinite(pace)) problems.push('VESTIBULE_PACE is not a number');
  return Math.max(1, pace);
}

function toInherited(environment: NodeJS.ProcessEnv): Record<string, string> {
  const inherited: Record<string, string> = { LANG: 'C.UTF-8' };
  for (const [name, value] of Object.entries(environment)) {
    if (value === undefined || name.startsWith('VESTIBULE_') || NEVER_INHERITED.includes(name)) continue;
    inherited[name] = value;
  }
  // A CLI made for Node finds the Node of the VM image, wherever the runtime put it.
  inherited.PATH = `${dirname(process.execPath)}:${environment.PATH ?? SYSTEM_PATH}`;
  return inherited;
}
