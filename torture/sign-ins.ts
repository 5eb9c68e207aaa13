/**
 * People who sign in, again and again, side by side: each asks one of the controllers, tries again while none answers, and some cancel, ask
 * for a newer sign-in instead, or watch a page. Everything asked for is in the journal before it is asked.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Session } from '@vestibule/protocol/api';
import type { Controller } from './controllers.ts';
import type { Journal } from './journal.ts';
import { followPage } from './page-follower.ts';
import type { Randomness } from './randomness.ts';
import type { SessionWatch } from './session-watch.ts';

const TRY_AGAIN_MS = 250;

export type Lane = {
  provider: string;
  /** Whom to ask first; whoever else when that one does not answer. */
  controller: Controller;
  /** Side by side. */
  width: number;
  /** Other controllers offer it as well. */
  isShared: boolean;
};

export type SignInOptions = {
  token: string;
  lanes: readonly Lane[];
  controllers: readonly [Controller, ...Controller[]];
  watch: SessionWatch;
  journal: Journal;
  random: Randomness;
  signal: AbortSignal;
};

type Person = SignInOptions & { lane: Lane; name: string };

/** Resolves when the signal said that enough is enough, and each sign-in begun has ended. */
export async function signInAgainAndAgain(options: SignInOptions): Promise<void> {
  const people = options.lanes.flatMap((lane, index) =>
    Array.from({ length: lane.width }, (_, seat): Person => {
      const name = `u-${index}-${seat}`;
      return { ...options, lane, name, random: options.random.fork(name) };
    }),
  );
  await Promise.all(people.map(keepSigningIn));
}

async function keepSigningIn(person: Person): Promise<void> {
  const { random, signal, name } = person;
  await delay(random.between(0, 3_000));
  for (let visit = 0; !signal.aborted; visit += 1) {
    // Some come back, and their login gets a newer version.
    const userId = random.chance(0.2) ? name : `${name}-${visit}`;
    await signInOnce(person, userId);
    await delay(random.between(0, 300));
  }
}

async function signInOnce(person: Person, userId: string): Promise<void> {
  const { random, watch } = person;
  const session = await ask(person, userId, false);
  if (session === null) return;
  const ended = watch.ended(session.sessionId);
  const page = random.chance(0.12) ? followPage(person, session.sessionId) : Promise.resolve();
  const impatience = random.chance(0.12) ? loseInterest(person, session, userId) : Promise.resolve();
  await Promise.all([ended, impatience, page]);
}

/** Cancels, or asks for a newer sign-in, which is seen to its end, too. */
async function loseInterest(person: Person, session: Session, userId: string): Promise<void> {
  const { random, journal, controllers, watch } = person;
  await delay(random.between(100, 4_000));
  if (random.chance(0.5)) {
    const newer = await ask(person, userId, true);
    if (newer !== null && newer.sessionId !== session.sessionId) await watch.ended(newer.sessionId);
    return;
  }
  journal.note({ type: 'cancel_asked', sessionId: session.sessionId });
  // It may have ended, or nobody answers: the journal says that it was asked.
  await random
    .pick(controllers)
    .client?.cancelSession(session.sessionId)
    .catch(() => undefined);
}

/** Null when it is over before anybody answered. */
async function ask(person: Person, userId: string, supersede: boolean): Promise<Session | null> {
  const { lane, controllers, journal, random, signal } = person;
  const { provider } = lane;
  while (!signal.aborted) {
    const other = lane.isShared && random.chance(0.15);
    const preferred = other ? random.pick(controllers) : lane.controller;
    const client = preferred.client ?? (lane.isShared ? random.pick(controllers).client : null);
    if (supersede) journal.note({ type: 'supersede_asked', userId, provider });
    const session = await client?.createSession({ userId, provider, supersede }).catch(() => null);
    if (session) {
      journal.note({ type: 'acknowledged', sessionId: session.sessionId, userId });
      return session;
    }
    await delay(TRY_AGAIN_MS);
  }
  return null;
}
