/** What a started controller tells on the terminal: where it is, the operator's link, and how to reach it from elsewhere. */
import type { Secret } from '@vestibule/protocol/secret';

export type SshLogin = { user: string; serverAddress: string; port: number };
export type Ready = {
  /** Origin that people open. */
  origin: string;
  /** Port on this machine's loopback. */
  port: number;
  token: Secret<string>;
  dataDir: string;
  ssh: SshLogin | null;
  /** Told by an earlier controller that still runs, or by this one. */
  notes: readonly string[];
};

/** The link carries the operator's token in its fragment, which browsers send to no server. */
export function toSignInLink(origin: string, token: Secret<string>): string {
  return `${origin}/#token=${token.reveal()}`;
}

/** The line for the person's own computer when this terminal is a login over SSH. */
export function toSshLine(ssh: SshLogin, port: number): string {
  const host = ssh.serverAddress.includes(':') ? `[${ssh.serverAddress}]` : ssh.serverAddress;
  const portFlag = ssh.port === 22 ? '' : `-p ${ssh.port} `;
  return `ssh ${portFlag}-L ${port}:127.0.0.1:${port} ${ssh.user}@${host}`;
}

export function toReadyText(ready: Ready): string {
  const lines = [...ready.notes, `Vestibule is ready at ${ready.origin}`, ''];
  if (ready.ssh !== null) {
    lines.push(
      'You are logged in over SSH. On your own computer, first run:',
      '',
      `  ${toSshLine(ready.ssh, ready.port)}`,
      '',
    );
  }
  lines.push(
    'Open this link to sign in as the operator (keep it to yourself):',
    '',
    `  ${toSignInLink(ready.origin, ready.token)}`,
    '',
  );
  lines.push(`The token alone is in ${ready.dataDir}/operator-token. Stop with Ctrl-C.`, '');
  return lines.join('\n');
}

/** The same for programs: one JSON line. */
export function toReadyJson(ready: Ready): string {
  return JSON.stringify({
    ready: true,
    origin: ready.origin,
    signInLink: toSignInLink(ready.origin, ready.token),
    dataDir: ready.dataDir,
    notes: ready.notes,
  });
}
