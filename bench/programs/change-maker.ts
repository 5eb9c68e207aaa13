/**
 * Stands for another controller of the same database: changes sessions by the product's own statements and tells of them after commit by the
 * product's own coalesced NOTIFY. Notes when the database confirmed each commit.
 */
import pg from 'pg';
import { createChangeNotices } from '../../packages/controller/src/db/change-notices.ts';
import { createSessionStore } from '../../packages/controller/src/session/session-store.ts';
import { createLogger } from '../../packages/controller/src/telemetry/logger.ts';
import { answerRequests, type ChildProgram } from '../support/child-program.ts';
import type { EmbeddedSocket } from '../support/embedded-socket.ts';
import { nowMs } from '../support/measures.ts';
import { toSessionId } from '../support/waiting-sessions.ts';

export type ChangeRequest = {
  socket: EmbeddedSocket;
  capability: 'display' | 'browser';
  /** In the order in which they are changed. */
  sessions: number[];
  /** Null: all at once. */
  perSecond: number | null;
};
export type ChangeAnswer = { committedAt: [n: number, atMs: number][] };

export type ChangeMaker = ChildProgram<ChangeRequest, ChangeAnswer>;

/** As a controller has. */
const CONNECTIONS = 10;

answerRequests(async (request: ChangeRequest): Promise<ChangeAnswer> => {
  const { socket, capability, sessions, perSecond } = request;
  const pool = new pg.Pool({ ...socket, max: CONNECTIONS });
  const { logger: log } = createLogger({ level: 'silent' });
  const notices = createChangeNotices({ pool, onChange: () => undefined, log });
  const committedAt: [number, number][] = [];
  const onChange = (sessionId: string): void => notices.publish(sessionId);
  const store = createSessionStore({ pool, graceMs: 0, onChange, onEnded: () => undefined });
  const changeOne = async (n: number): Promise<void> => {
    if (!(await store.addCapability(toSessionId(n), capability, 1))) throw new Error(`session ${n} was not changed`);
    committedAt.push([n, nowMs()]);
  };
  const changes: Promise<void>[] = [];
  const startedAt = performance.now();
  while (changes.length < sessions.length) {
    const elapsedMs = performance.now() - startedAt;
    const due = perSecond === null ? sessions.length : Math.floor((elapsedMs * perSecond) / 1000);
    for (const n of sessions.slice(changes.length, due)) changes.push(changeOne(n));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(changes);
  // Longer than changes are collected before they are told.
  await new Promise((resolve) => setTimeout(resolve, 50));
  await notices.close();
  await pool.end();
  return { committedAt };
});
