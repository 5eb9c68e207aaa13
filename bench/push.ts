/**
 * `npm run bench -- push`: 10,000 pages, each listening to its own session's events, on one built controller with its embedded PostgreSQL.
 * The pages are in processes of their own, and so is whoever changes the sessions: another controller of the same database, as it were. Each
 * session is changed once at a steady rate, then a thousand of them at once. A delay is from the confirmed commit to the bytes at the page.
 */
import { loadavg } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import { startVestibule, type VestibuleServer } from '../e2e/support/vestibule-server.ts';
import type { ChangeAnswer, ChangeMaker, ChangeRequest } from './programs/change-maker.ts';
import type { ReaderAnswer, ReaderRequest, StreamReader } from './programs/stream-reader.ts';
import { withCpuSeconds } from './support/cpu.ts';
import { startProgram } from './support/child-program.ts';
import { findEmbeddedSocket } from './support/embedded-socket.ts';
import { percentile, round } from './support/measures.ts';
import { readMemory } from './support/memory.ts';
import { readCount } from './support/options.ts';
import { insertWaitingSessions } from './support/waiting-sessions.ts';

const GOAL = { memory_mb: 600, p99_ms: 250 };
const READERS = 4;
/** Of 10,000 sessions, each with some ten events in five minutes, come 333 a second. */
const STEADY_PER_SECOND = 500;
const BURST = 1_000;
/** The step at which each session waits, made with its rows. */
const FIRST_SEQ = 4;
/** Connections that each reader opens side by side. */
const AT_ONCE = 16;
const BEAT_MS = 5_000;
const REST_MS = 5_000;
const PATIENCE_MS = 60_000;

const HELP = `npm run bench -- push [--n COUNT]

Open event streams on one controller: its memory, and the delay from the commit of a change to its page.
  --n COUNT  open streams (default 10000)

Prints one JSON line. steady: every session changed once, ${STEADY_PER_SECOND} a second; burst: ${BURST} sessions changed at once.
Goal: ${GOAL.memory_mb} MB or less with all streams open, p99 of the steady delays ${GOAL.p99_ms} ms or less.`;

/** The reader of each session, by its number. */
function share(count: number): { first: number; count: number }[] {
  const each = Math.ceil(count / READERS);
  return Array.from({ length: READERS }, (_, index) => ({
    first: index * each,
    count: Math.max(0, Math.min(each, count - index * each)),
  }));
}

async function openStreams(server: VestibuleServer, readers: readonly StreamReader[], count: number): Promise<number> {
  const startedAt = performance.now();
  const port = Number(new URL(server.origin).port);
  const shares = share(count);
  await Promise.all(
    readers.map((reader, index) => {
      // An address has some 28,000 ports to come from.
      const localAddress = `127.0.0.${index + 2}`;
      return reader.ask({ kind: 'open', port, token: server.token, atOnce: AT_ONCE, localAddress, ...shares[index]! });
    }),
  );
  return round((performance.now() - startedAt) / 1000, 1);
}

function shuffle(count: number): number[] {
  const numbers = Array.from({ length: count }, (_, n) => ({ n, place: Math.random() }));
  return numbers.sort((one, other) => one.place - other.place).map(({ n }) => n);
}

/** @param seq the number that the event has in each of the sessions */
async function measureDelays(
  maker: ChangeMaker,
  readers: readonly StreamReader[],
  change: ChangeRequest,
  count: number,
  seq: number,
) {
  const { committedAt } = await maker.ask(change);
  const shares = share(count);
  const answers = await Promise.all(
    readers.map((reader, index) => {
      const { first, count: size } = shares[index]!;
      const sessions = change.sessions.filter((n) => n >= first && n < first + size);
      return reader.ask({ kind: 'await', seq, sessions, withinMs: PATIENCE_MS });
    }),
  );
  const outOfOrder = answers.reduce((sum, answer) => sum + answer.outOfOrder, 0);
  if (outOfOrder > 0) throw new Error(`${outOfOrder} events were missed, repeated or out of order`);
  const receivedAt = new Map(answers.flatMap((answer) => answer.receivedAt));
  const delays = committedAt.map(([n, atMs]) => receivedAt.get(n)! - atMs);
  return {
    changes: delays.length,
    p50_ms: percentile(delays, 50),
    p99_ms: percentile(delays, 99),
    max_ms: percentile(delays, 100),
  };
}

/** What the database does by itself within a minute. */
async function analyze(dataDir: string): Promise<void> {
  const owner = new pg.Pool({ ...findEmbeddedSocket(dataDir, 'owner'), max: 1 });
  await owner.query('analyze');
  await owner.end();
}

async function measure(server: VestibuleServer, readers: readonly StreamReader[], maker: ChangeMaker, count: number) {
  const socket = findEmbeddedSocket(server.dataDir);
  const pool = new pg.Pool({ ...socket, max: 1 });
  // The hosts of these sessions are alive, as far as this controller can tell.
  const beat = setInterval(() => void pool.query('update hosts set seen_at = clock_timestamp()'), BEAT_MS);
  try {
    await insertWaitingSessions(pool, 0, count);
    await analyze(server.dataDir);
    const before = readMemory(server.pid);
    const openedInSeconds = await openStreams(server, readers, count);
    await wait(REST_MS);
    const memory = readMemory(server.pid);
    const all = { socket, capability: 'display', sessions: shuffle(count), perSecond: STEADY_PER_SECOND } as const;
    const steady = await withCpuSeconds(server.pid, () => measureDelays(maker, readers, all, count, FIRST_SEQ + 1));
    const some = { socket, capability: 'browser', sessions: shuffle(count).slice(0, BURST), perSecond: null } as const;
    const burst = await withCpuSeconds(server.pid, () => measureDelays(maker, readers, some, count, FIRST_SEQ + 2));
    const after = readMemory(server.pid);
    return {
      opened_in_s: openedInSeconds,
      memory: { without: before, open: memory, after_changes: after },
      steady,
      burst,
    };
  } finally {
    clearInterval(beat);
    await pool.end();
  }
}

const toProgram = (name: string): URL => new URL(`./programs/${name}.ts`, import.meta.url);
const count = readCount({ help: HELP, fallback: 10_000, least: READERS });
const server = await startVestibule({ args: ['--demo'], env: { VESTIBULE_RUNTIME: 'fake' } });
const readers = Array.from({ length: READERS }, () =>
  startProgram<ReaderRequest, ReaderAnswer>(toProgram('stream-reader')),
);
const maker = startProgram<ChangeRequest, ChangeAnswer>(toProgram('change-maker'));
try {
  const measured = await measure(server, readers, maker, count);
  console.log(JSON.stringify({ bench: 'push', n: count, ...measured, goal: GOAL, load1: round(loadavg()[0] ?? 0, 1) }));
} finally {
  await Promise.all([...readers, maker].map((program) => program.stop()));
  await server.remove();
}
