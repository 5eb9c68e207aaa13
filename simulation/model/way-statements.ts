/** What the statements about ways to sign in do, on the model; as the others, each is held against the real SQL. */
import type { Mode } from '@vestibule/protocol/session';
import type { SessionRow } from '@vestibule/controller/session/session-row';
import type { ModelDatabase, ModelSession } from './model-database.ts';
import { change, isActive, log, toRow } from './model-statements.ts';

export function changeMode(db: ModelDatabase, sessionId: string, mode: Mode, now: Date): boolean {
  const session = db.sessions.get(sessionId);
  if (session === undefined || !isActive(session) || session.mode === mode) return false;
  const way = session.way + 1;
  const data = { from: session.mode, to: mode, way };
  log(db, session, { mode, way, prompt: null }, { type: 'mode_changed', actor: 'person', data }, now);
  return true;
}

export function showPrompt(db: ModelDatabase, sessionId: string, text: string, now: Date): boolean {
  const guard = (session: ModelSession): boolean => isActive(session) && session.prompt !== text;
  const step = { type: 'prompt_shown', actor: 'agent', data: { text } } as const;
  return change(db, sessionId, guard, { prompt: text }, step, now);
}

export function listPlaced(db: ModelDatabase, hostId: string, now: Date): SessionRow[] {
  return [...db.sessions.values()]
    .filter((one) => isActive(one) && one.vmId !== null && db.vms.get(one.vmId)?.hostId === hostId)
    .map((one) => toRow(db, one, now));
}
