/**
 * What scripted CLIs do: some sign in well, some fail in each way a CLI can. Steps for CLIs in real VMs, fake scripts for the runtime `fake`;
 * the same share of each.
 */
import { randomUUID } from 'node:crypto';
import type { FakeScript } from '@vestibule/vm-manager/fake/fake-script';
import type { Write } from './journal.ts';
import type { Randomness } from './randomness.ts';

export const CREDENTIAL_FILES = {
  auth: '.torture/auth.json',
  session: '.torture/session.txt',
} as const;
export const CREDENTIAL_PATHS: readonly string[] = Object.values(CREDENTIAL_FILES);

export type Step =
  | { do: 'wait'; forMs: number }
  | ({ do: 'write' } & Write)
  | { do: 'exit'; code: number }
  /** Kills itself. */
  | { do: 'crash' };
export type Behaviour = { name: string; steps: Step[] };

/** Longest a CLI that signs in takes. */
const MOST_MS = 4_000;

const WEIGHTS = {
  'signs in': 45,
  'writes in two goes': 8,
  'writes twice': 6,
  'signs in at the deadline': 5,
  'dies half way': 6,
  'leaves half a file': 5,
  'leaves a blank field': 5,
  'leaves one file of two': 3,
  'writes all and exits with 1': 5,
  'writes nothing and exits with 1': 4,
  'writes nothing and exits with 0': 3,
  'writes all and hangs': 3,
  hangs: 2,
} as const;
type Name = keyof typeof WEIGHTS;

const toBase64 = (text: string): string => Buffer.from(text).toString('base64');

type Content = { auth: string; session: string };

function createContent(random: Randomness): Content {
  const padding = 'x'.repeat(random.chance(0.1) ? random.between(1_000, 60_000) : random.between(0, 400));
  const auth = { account: 'person@example.test', access_token: randomUUID(), refresh_token: randomUUID(), padding };
  return { auth: JSON.stringify(auth), session: `session ${randomUUID()}\n` };
}

function write(path: string, text: string, state: Write['state']): Step {
  return { do: 'write', path, contentBase64: toBase64(text), state };
}
const writeAuth = ({ auth }: Content): Step => write(CREDENTIAL_FILES.auth, auth, 'complete');
const writeSession = ({ session }: Content): Step => write(CREDENTIAL_FILES.session, session, 'complete');
const writeAll = (content: Content): Step[] => [writeAuth(content), writeSession(content)];
const writeHalf = ({ auth }: Content): Step =>
  write(CREDENTIAL_FILES.auth, auth.slice(0, auth.length / 2), 'incomplete');
const writeBlank = (): Step =>
  write(CREDENTIAL_FILES.auth, JSON.stringify({ account: 'a', access_token: '', refresh_token: 'r' }), 'incomplete');
const wait = (forMs: number): Step => ({ do: 'wait', forMs });
const exit = (code: number): Step => ({ do: 'exit', code });

function toSteps(name: Name, random: Randomness, sessionMs: number): Step[] {
  const content = createContent(random);
  const first = wait(random.between(100, MOST_MS));
  const pause = wait(random.between(0, 800));
  switch (name) {
    case 'signs in':
      return [first, ...writeAll(content), exit(0)];
    case 'writes in two goes':
      return [first, writeHalf(content), pause, ...writeAll(content), pause, exit(0)];
    case 'writes twice':
      return [first, ...writeAll(createContent(random)), pause, ...writeAll(content), exit(0)];
    case 'signs in at the deadline':
      return [wait(sessionMs - random.between(0, 1_500)), ...writeAll(content), pause, exit(0)];
    case 'dies half way':
      return [first, writeHalf(content), { do: 'crash' }];
    case 'leaves half a file':
      return [first, writeHalf(content), writeSession(content), exit(0)];
    case 'leaves a blank field':
      return [first, writeBlank(), writeSession(content), exit(0)];
    case 'leaves one file of two':
      return [first, writeAuth(content), exit(0)];
    case 'writes all and exits with 1':
      return [first, ...writeAll(content), pause, exit(1)];
    case 'writes nothing and exits with 1':
      return [first, exit(1)];
    case 'writes nothing and exits with 0':
      return [first, exit(0)];
    case 'writes all and hangs':
      return [first, ...writeAll(content)];
    case 'hangs':
      return [];
    default:
      return name satisfies never;
  }
}

export function chooseBehaviour(random: Randomness, sessionMs: number): Behaviour {
  const name = random.weigh(WEIGHTS);
  return { name, steps: toSteps(name, random, sessionMs) };
}

const FAKE_WEIGHTS = {
  complete: 60,
  blank: 6,
  half_written: 6,
  not_json: 3,
  none: 4,
  exits_with_1: 7,
  ends_early: 6,
  ends_late: 5,
  hangs: 3,
} as const;

/** One fake VM each, in turn. */
export function chooseFakeScripts(random: Randomness, journal: string, count: number): Partial<FakeScript>[] {
  return Array.from({ length: count }, () => {
    const times = { bootMs: random.between(0, 300), afterMs: random.between(100, MOST_MS) };
    return { ...times, signIn: 'auto' as const, journal, ...toFakeTwist(random.weigh(FAKE_WEIGHTS), random) };
  });
}

function toFakeTwist(kind: keyof typeof FAKE_WEIGHTS, random: Randomness): Partial<FakeScript> {
  switch (kind) {
    case 'exits_with_1':
      return { cliExitCode: 1 };
    case 'ends_early':
      return {
        exit: { when: random.pick(['boot', 'claimed', 'url_opened', 'signed_in']), code: random.between(0, 255) },
      };
    case 'ends_late':
      return { exit: { when: random.pick(['handed_over', 'answered']), code: random.between(0, 255) } };
    case 'hangs':
      return { hang: random.pick(['claimed', 'signed_in', 'handed_over', 'answered']) };
    default:
      return { credential: kind };
  }
}
