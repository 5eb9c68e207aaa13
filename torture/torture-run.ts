/** One run, from the first sign-in to the last figure: chaos, then calm, then the account. */
import { basename, join } from 'node:path';
import { account, type SignIn } from './accounting.ts';
import { CREDENTIAL_PATHS } from './behaviours.ts';
import { disturb } from './disturber.ts';
import { awaitSettled, listVmsNotGone, readSignIns } from './evidence.ts';
import { readFakeJournal } from './fake-journal-file.ts';
import { killAtRandom } from './hand.ts';
import { nowMs } from './journal.ts';
import { findFiles, findNetworks, findProcesses } from './leftovers.ts';
import type { Options } from './options.ts';
import { PROVIDERS } from './provider-files.ts';
import { createRandomness } from './randomness.ts';
import { toFigures, writeSessions, writeStories, type Figures, type Leftovers } from './report.ts';
import { watchSessions } from './session-watch.ts';
import { signInAgainAndAgain, type Lane } from './sign-ins.ts';
import { setStage, type Stage } from './stage.ts';
import { listVms } from './vm-targets.ts';

/** A deadline, its hold twice, grace, and the time to clear up. */
const SETTLE_MS = 90_000;
const SAY_EVERY_KILLS = 25;

export type RunOptions = Options & { reportDir: string; signal: AbortSignal; say: (words: string) => void };

export async function runTorture(options: RunOptions): Promise<Figures> {
  const { seed, reportDir } = options;
  const stage = await setStage({ random: createRandomness(seed), reportDir });
  try {
    options.signal.throwIfAborted();
    return await torture(stage, options);
  } finally {
    await stage.clear();
  }
}

function toLanes({ real, fake }: Stage): Lane[] {
  return [
    { provider: PROVIDERS.scripted, controller: real.controller, width: 10, isShared: true },
    { provider: PROVIDERS.browser, controller: real.controller, width: 2, isShared: false },
    { provider: PROVIDERS.scripted, controller: fake.controller, width: 18, isShared: true },
  ];
}

async function torture(stage: Stage, options: RunOptions): Promise<Figures> {
  const { seed, kills, minutes, signal, say, reportDir } = options;
  const { real, fake, database, journal, token } = stage;
  const random = createRandomness(seed).fork('chaos');
  const places = [real, fake] as const;
  const controllers = [real.controller, fake.controller] as const;
  const startedAt = nowMs();
  const watch = watchSessions(database, journal);
  signal.addEventListener('abort', () => void watch.close());
  const enough = new AbortController();
  const over = AbortSignal.any([signal, enough.signal]);
  const people = signInAgainAndAgain({
    ...{ lanes: toLanes(stage), controllers, watch, journal, token },
    random: random.fork('people'),
    signal: over,
  });
  const disturbing = disturb({ places, journal, random: random.fork('disturber'), signal: over });
  const onKill = (done: number): void => {
    if (done % SAY_EVERY_KILLS === 0) say(`${done} kills after ${Math.round((nowMs() - startedAt) / 1000)} s`);
  };
  const killed = await killAtRandom({
    dataDir: real.disk.dir,
    kills,
    minutes,
    controllers,
    database,
    journal,
    random: random.fork('hand'),
    signal,
    onKill,
  });
  enough.abort();
  const disturbances = await disturbing;
  signal.throwIfAborted();
  const done = Object.values(killed).reduce((sum, count) => sum + count, 0);
  if (done < kills) say(`only ${done} of ${kills} kills: too little was alive to be killed in twice the time`);
  say('no more harm; everything may settle');
  await Promise.all([database.up(), real.controller.up(), fake.controller.up()]);
  const isSettled = await awaitSettled(database, SETTLE_MS);
  if (!isSettled) say(`not everything had settled after ${SETTLE_MS / 1000} s`);
  await Promise.race([people, watch.close()]);
  await watch.close();
  const [signIns, leftovers] = [await readSignIns(database, stage.keyFile), await findLeftovers(stage)];
  readFakeJournal(stage.fakeJournal, journal);
  const result = account(journal.entries(), signIns, CREDENTIAL_PATHS);
  const { violations } = result;
  const names = new Map(places.map(({ controller }) => [controller.hostId ?? '', controller.name]));
  for (const { kind, sessionId, words } of violations) say(`${kind}: session ${sessionId} ${words}`);
  for (const found of Object.values(leftovers).flat()) say(`left behind: ${found}`);
  const path = join(reportDir, 'violations.txt');
  if (violations.length > 0) say(`what happened to them is in ${path}`);
  writeSessions(join(reportDir, 'sessions.ndjson'), signIns, journal);
  await writeStories({ path, violations, signIns, journal, database });
  return {
    kills: done,
    ...toFigures(signIns, result, leftovers),
    controller_crashes: real.controller.crashes + fake.controller.crashes,
    ...{ killed, disturbances, by_runtime: countBy(signIns, (one) => names.get(one.vm?.hostId ?? '')) },
    by_error: countBy(signIns, ({ errorCode }) => errorCode),
    seed,
    minutes: Math.round((nowMs() - startedAt) / 600) / 100,
  };
}

/** What is left once the controllers, which may run VMs, have stopped by themselves. */
async function findLeftovers({ real, fake, database, marks }: Stage): Promise<Leftovers> {
  const inRows = await listVmsNotGone(database);
  await Promise.all([real.controller.stop(), fake.controller.stop()]);
  const places = [real, fake];
  const networks = await Promise.all(
    places.map(({ controller }) => findNetworks(controller.hostId?.slice('host_'.length) ?? 'none')),
  );
  return {
    vms: [...new Set([...inRows, ...places.flatMap(({ disk }) => listVms(disk.dir)), ...toVmIds(networks.flat())])],
    processes: findProcesses(marks, await listOwnProcesses(database)),
    files: [...places.flatMap(({ disk }) => findFiles(disk.dir)), ...networks.flat()],
  };
}

/** Of the names of what is left of their networks. */
function toVmIds(names: readonly string[]): string[] {
  return names.filter((name) => name.includes('/vm_')).map((name) => basename(name));
}

/** This one, which has the run's folder in its hands, and the database, which still runs. */
async function listOwnProcesses(database: Stage['database']): Promise<Set<number>> {
  return new Set([process.pid, ...(await database.listProcesses())]);
}

function countBy(
  signIns: readonly SignIn[],
  toKey: (signIn: SignIn) => string | null | undefined,
): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const key of signIns.map(toKey)) if (typeof key === 'string') counts[key] = (counts[key] ?? 0) + 1;
  return counts;
}
