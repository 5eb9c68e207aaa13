/** The first start as each person meets it: root without a terminal, an ordinary user without one, root at a terminal. */
import assert from 'node:assert/strict';
import { listSystemPackages } from '../system-packages.mjs';
import type { FreshClone } from './fresh-clone.ts';
import { ROOT_ACCOUNT } from './fresh-machine.ts';
import type { NpmStart } from './npm-start.ts';
import { connectDemo, expectMissing, expectOffered, withOperatorPage } from './operator-page.ts';

/** Called at the end of each stage, in order. */
export type Lap = (stage: string, at?: number) => void;

const NAMES = listSystemPackages(['process'])
  .map(({ name }) => name)
  .join(' ');
const LINK = /^ {2}(http:\/\/127\.0\.0\.1:\d+\/#token=[\w-]+)$/m;

/** Root is asked nothing: packages are installed, with progress, and the demo can be used. */
export async function startAsRoot(clone: FreshClone, lap: Lap): Promise<NpmStart> {
  const start = clone.start({ terminal: false });
  await start.waitFor(/^Installing node packages/m);
  const system = await start.waitFor(new RegExp(`^Installing system packages \\(once\\): ${NAMES}…$`, 'm'));
  lap('nodePackages', system.at);
  await finishStart(start, lap);
  for (const percent of [0, 25, 50, 75]) assert.match(start.said(), new RegExp(`^ {2}Installing ${percent} %$`, 'm'));
  return start;
}

/** Root at a terminal is asked once; then as above. */
export async function startAtTerminal(clone: FreshClone, lap: Lap): Promise<NpmStart> {
  const start = clone.start({ terminal: true });
  await start.waitFor(/^Installing node packages/m);
  const question = await start.waitFor(/Install these with apt-get\? \[Y\/n\] $/m);
  lap('nodePackages', question.at);
  start.type('y\n');
  await finishStart(start, lap);
  const drawn = new Set(start.said().match(/Installing \d+ %/g));
  assert.ok(drawn.size > 50, `progress was drawn ${drawn.size} times:\n${start.said()}`);
  return start;
}

/**
 * An ordinary user gets the exact command and a start with what works; once an administrator ran that command, the page offers the demo
 * without a restart.
 */
export async function startAsUser(clone: FreshClone, lap: Lap): Promise<NpmStart> {
  const start = clone.start({ terminal: false });
  await start.waitFor(/^Installing node packages/m);
  const printed = await start.waitFor(/missing: (.*)\. To install them, as root:\n\n {2}(\S.*)\n/);
  lap('nodePackages', printed.at);
  const [, missing, command = ''] = printed.match;
  assert.equal(missing, NAMES);
  assert.equal(command, `apt-get update && apt-get install -y --no-install-recommends ${NAMES}`);
  assert.match(start.said(), /^Starting with what works; the page says which ways to sign in are missing and why\.$/m);
  await finishReady(start, lap);
  await withOperatorPage(await readLink(start), async (page) => {
    await expectMissing(page, [
      'Chromium is not installed',
      'Xtigervnc is not installed',
      'bubblewrap is not installed',
    ]);
    lap('pageSaysWhatIsMissing');
    await clone.machine.run(ROOT_ACCOUNT, ['sh', '-c', command], { env: { DEBIAN_FRONTEND: 'noninteractive' } });
    lap('systemPackages');
    await expectOffered(page);
    lap('pageOffersDemo');
    await connectDemo(page);
    lap('signIn');
  });
  return start;
}

async function finishStart(start: NpmStart, lap: Lap): Promise<void> {
  lap('systemPackages', (await start.waitFor(/^Building…$/m)).at);
  assert.doesNotMatch(start.said(), /could not install|do not offer/);
  await finishReady(start, lap);
  await withOperatorPage(await readLink(start), connectDemo);
  lap('signIn');
}

async function finishReady(start: NpmStart, lap: Lap): Promise<void> {
  await start.waitFor(/^Building…$/m);
  lap('buildAndStart', (await start.waitFor(/^Vestibule is ready at http:\/\/127\.0\.0\.1:\d+$/m)).at);
}

async function readLink(start: NpmStart): Promise<string> {
  return (await start.waitFor(LINK)).match[1] ?? '';
}
