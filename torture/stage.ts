/**
 * All that a run needs, set up and taken down again: disks, database, proxies, journal, controllers. A controller runs `process` (real VMs,
 * real agents, a stand-in for the browser), the other `fake`; each offers the scripted CLI, and either takes a session that waits.
 */
import { randomBytes } from 'node:crypto';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { destroyLeftoverMachines } from '../e2e/support/leftover-machines.ts';
import { createReleaser } from '../packages/agent/src/releaser.ts';
import { CONTROLLER_ENTRY } from '../e2e/support/vestibule-server.ts';
import { chooseBehaviour, chooseFakeScripts } from './behaviours.ts';
import { Controller } from './controllers.ts';
import { mountDataDisk } from './data-disk.ts';
import { startDatabase, type Database } from './database.ts';
import type { Place } from './disturber.ts';
import { openJournal, type Journal } from './journal.ts';
import { startJournalServer } from './journal-server.ts';
import { writeProviders } from './provider-files.ts';
import type { Randomness } from './randomness.ts';
import { startStallingProxy } from './stalling-proxy.ts';

/** Not below /tmp, which every VM has for itself: the folder of the browser's stand-in must be seen inside. */
const PLACE_OF_RUNS = '/var/tmp/vestibule-torture-';
const FAKE_SCRIPTS = 60;

export const SESSION_SECONDS = 20;
const SETTINGS = {
  VESTIBULE_SESSION_SECONDS: String(SESSION_SECONDS),
  VESTIBULE_GRACE_SECONDS: '1',
  VESTIBULE_HOLD_SECONDS: '6',
  VESTIBULE_MAX_SESSIONS: '80',
  VESTIBULE_LOG_LEVEL: 'info',
};

export type Stage = {
  real: Place;
  fake: Place;
  database: Database;
  journal: Journal;
  token: string;
  keyFile: string;
  fakeJournal: string;
  /** Paths that mark whatever belongs to the run. */
  marks: string[];
  /** Newest first, each once. */
  clear(): Promise<void>;
};

export type StageOptions = { random: Randomness; reportDir: string };

type Folders = { root: string; browserDir: string; journalSocket: string; keyFile: string; fakeJournal: string };

function makeFolders(): Folders {
  const root = mkdtempSync(PLACE_OF_RUNS);
  // VMs are other users, and so is the database.
  chmodSync(root, 0o755);
  const browserDir = join(root, 'browser');
  cpSync(fileURLToPath(new URL('browser', import.meta.url)), browserDir, { recursive: true });
  chmodSync(browserDir, 0o755);
  const keyFile = join(root, 'master-key');
  const journalSocket = join(browserDir, 'journal.sock');
  return { root, browserDir, journalSocket, keyFile, fakeJournal: join(root, 'fake.ndjson') };
}

export async function setStage({ random, reportDir }: StageOptions): Promise<Stage> {
  const releaser = createReleaser((what, detail) => process.stderr.write(`${what} ${JSON.stringify(detail)}\n`));
  try {
    const folders = makeFolders();
    const { root, browserDir, keyFile, fakeJournal } = folders;
    releaser.defer('folder', () => rmSync(root, { recursive: true, force: true }));
    rmSync(reportDir, { recursive: true, force: true });
    mkdirSync(reportDir, { recursive: true });
    const journal = openJournal(join(reportDir, 'journal.ndjson'));
    const behaviours = random.fork('behaviours');
    const server = await startJournalServer({
      path: folders.journalSocket,
      journal,
      nextBehaviour: () => chooseBehaviour(behaviours, SESSION_SECONDS * 1000),
    });
    releaser.defer('journal', () => server.close());
    const database = await startDatabase(join(root, 'database'), journal);
    releaser.defer('database', () => database.stop());
    const token = randomBytes(32).toString('base64url');
    const shared = { VESTIBULE_MASTER_KEY_FILE: keyFile, VESTIBULE_OPERATOR_TOKEN: token, ...SETTINGS };
    const place = { folders, database, journal, token, reportDir, defer: releaser.defer };
    const scripts = chooseFakeScripts(random.fork('fake scripts'), fakeJournal, FAKE_SCRIPTS);
    const real = await createPlace(
      'real',
      { ...shared, VESTIBULE_RUNTIME: 'process', VESTIBULE_BROWSER: join(browserDir, 'stand-in-browser') },
      place,
    );
    const fake = await createPlace(
      'fake',
      { ...shared, VESTIBULE_RUNTIME: 'fake', VESTIBULE_FAKE_SCRIPT: JSON.stringify(scripts) },
      place,
    );
    // One after the other: the first makes the key.
    await real.controller.start();
    await fake.controller.start();
    const marks = [root, browserDir];
    return { real, fake, database, journal, token, keyFile, fakeJournal, marks, clear: releaser.releaseAll };
  } catch (error) {
    await releaser.releaseAll();
    throw error;
  }
}

type PlaceOptions = {
  folders: Folders;
  database: Database;
  journal: Journal;
  token: string;
  reportDir: string;
  defer: (what: string, release: () => void | Promise<void>) => void;
};

async function createPlace(name: 'real' | 'fake', env: Record<string, string>, options: PlaceOptions): Promise<Place> {
  const { folders, database, journal, token, reportDir, defer } = options;
  const disk = await mountDataDisk(join(folders.root, name));
  defer(`${name} disk`, disk.unmount);
  const proxyDir = join(folders.root, `${name}-database`);
  mkdirSync(proxyDir);
  const proxy = await startStallingProxy(join(proxyDir, basename(database.socketPath)), database.socketPath);
  defer(`${name} proxy`, proxy.close);
  const providersDir = join(folders.root, `${name}-providers`);
  writeProviders(providersDir, folders.journalSocket, name === 'real');
  const controller = new Controller({
    name,
    entry: CONTROLLER_ENTRY,
    dataDir: disk.dir,
    env: { ...env, VESTIBULE_PROVIDERS_DIR: providersDir, DATABASE_URL: database.toUrl(proxyDir) },
    token,
    logFile: join(reportDir, `${name}.log`),
    journal,
    holdsVms: name === 'fake',
  });
  defer(`${name} controller`, async () => {
    disk.free();
    proxy.resume();
    await controller.stop();
    await destroyLeftoverMachines(disk.dir);
  });
  return { controller, proxy, disk };
}
