/** Starts after the first, through npm, at a terminal: while one runs, at once after Ctrl-C, and after kill -9 of all of it. */
import assert from 'node:assert/strict';
import type { FreshClone } from './fresh-clone.ts';
import type { NpmStart } from './npm-start.ts';

const READY = /^Vestibule is ready at/m;

/** `running`: a start at a terminal that serves. Gives back the last start, which serves. */
export async function startAgain(clone: FreshClone, running: NpmStart): Promise<NpmStart> {
  const second = clone.start({ terminal: true });
  assert.equal(await second.exited, 0, second.said());
  assert.match(
    second.said(),
    /^Vestibule is already running on \S+ \(process \d+\); this second start changes nothing\.$/m,
  );
  assert.match(second.said(), /\/#token=/);
  assert.doesNotMatch(second.said(), /Installing|Building/);

  const stopped = running.stop();
  const third = clone.start({ terminal: true });
  await third.waitFor(READY);
  await stopped;
  assert.doesNotMatch(running.said(), /npm ERR|npm error|unexpectedly/);
  assert.doesNotMatch(third.said(), /ended abruptly/);

  await third.killTree();
  const fourth = clone.start({ terminal: true });
  await fourth.waitFor(READY);
  assert.match(
    fourth.said(),
    /^The Vestibule before this one was ended abruptly; its database and browsers are taken over\.$/m,
  );
  return fourth;
}
