/** `vestibule sessions` and `vestibule credentials`: what the server has of one user. */
import type { Exit } from '../cli-error.ts';
import { connectTo, type Cli } from '../cli.ts';
import { GRADE_WORDS } from '../step-words.ts';
import { toTable } from '../table.ts';

type Flags = { user: string };

export async function listSessions(cli: Cli, { user }: Flags): Promise<Exit> {
  const sessions = await connectTo(cli).client.listSessions(user);
  const rows = sessions.map((session) => [
    session.sessionId,
    session.provider,
    session.status,
    session.mode,
    session.createdAt,
    session.account ?? session.errorCode ?? '',
  ]);
  const table = toTable(['SESSION', 'PROVIDER', 'STATUS', 'WAY', 'CREATED', 'ACCOUNT OR ERROR'], rows);
  cli.report.tell({ type: 'sessions', sessions }, sessions.length === 0 ? `No sign-ins of ${user}.` : table);
  return 'done';
}

export async function listCredentials(cli: Cli, { user }: Flags): Promise<Exit> {
  const credentials = await connectTo(cli).client.listCredentials(user);
  const rows = credentials.map((credential) => [
    credential.provider,
    credential.account ?? '-',
    String(credential.version),
    credential.source,
    GRADE_WORDS[credential.grade],
    credential.createdAt,
    credential.revokedAt === null ? (credential.expiresAt ?? '-') : 'disconnected',
  ]);
  const table = toTable(['PROVIDER', 'ACCOUNT', 'VERSION', 'SOURCE', 'EVIDENCE', 'STORED', 'EXPIRES'], rows);
  cli.report.tell({ type: 'credentials', credentials }, credentials.length === 0 ? `No logins of ${user}.` : table);
  return 'done';
}
