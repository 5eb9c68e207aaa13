/**
 * A pristine Debian 12 as a folder, with Node and npm as this machine has them and with nothing of Vestibule's needs: what a person's new
 * server looks like. Made once, kept among temporary files, never started itself. What reaches this machine's registries (sources, mirrors'
 * options, certificates) comes along; accounts and tokens (~/.npmrc, apt's auth.conf) do not.
 */
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, realpathSync, renameSync, rmSync } from 'node:fs';
import { symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { runProgram } from '../start/run-program.mjs';

const SUITE = 'bookworm';
/** git fetches the clone, and ca-certificates lets it and npm trust anybody; all else is for `npm start` to ask for. */
const PACKAGES = ['ca-certificates', 'git'];
const APT_CONFIG_DIR = '/etc/apt/apt.conf.d';
/** Debian's own sources, in the new form or the old. Without either, those that mmdebstrap knows. */
const SOURCES = ['/etc/apt/sources.list.d/debian.sources', '/etc/apt/sources.list'];
const COPIED = ['/etc/npmrc', '/usr/etc/npmrc', '/etc/ssl/certs/ca-certificates.crt'];

/** The folder; made when it is not there yet. Rejects with a message for a person. */
export async function ensureDebianRoot(): Promise<string> {
  const npm = findNpm();
  const { version } = JSON.parse(readFileSync(join(npm, 'package.json'), 'utf8')) as { version: string };
  const key = createHash('sha256').update(`${process.version} ${version} ${PACKAGES.join()}`).digest('hex').slice(0, 8);
  const root = join(tmpdir(), `vestibule-fresh-${SUITE}-${key}`);
  if (existsSync(root)) return root;
  console.error(`Making a fresh Debian 12 in ${root} (once)…`);
  const draft = `${root}.${process.pid}`;
  try {
    await makeDebian(draft);
    addNode(draft, npm);
    renameSync(draft, root);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  return root;
}

async function makeDebian(folder: string): Promise<void> {
  const options = readdirSync(APT_CONFIG_DIR)
    .map((name) => join(APT_CONFIG_DIR, name))
    .filter((file) => readFileSync(file, 'utf8').includes('Acquire::'));
  const { code, tail } = await runProgram('mmdebstrap', [
    ...['--mode=root', '--variant=minbase', `--include=${PACKAGES.join()}`],
    ...options.map((file) => `--aptopt=${file}`),
    ...[SUITE, folder],
    ...SOURCES.filter((file) => existsSync(file)).slice(0, 1),
  ]);
  if (code === 127) throw new Error('A fresh Debian is made by mmdebstrap: apt-get install mmdebstrap');
  if (code !== 0) throw new Error(`mmdebstrap ended with code ${code}. Its last words:\n${tail.slice(-8).join('\n')}`);
}

/** As a package of Node lays them down. */
function addNode(folder: string, npm: string): void {
  const modules = join(folder, 'usr/lib/node_modules');
  mkdirSync(modules, { recursive: true });
  cpSync(realpathSync(process.execPath), join(folder, 'usr/bin/node'));
  cpSync(npm, join(modules, 'npm'), { recursive: true });
  for (const name of ['npm', 'npx'])
    symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, join(folder, 'usr/bin', name));
  for (const file of COPIED.filter((path) => existsSync(path))) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    cpSync(file, join(folder, file), { dereference: true });
  }
  writeFileSync(join(folder, 'etc/hosts'), '127.0.0.1 localhost\n::1 localhost\n');
}

/** npm's own folder: of the npm that runs us, else of the one beside Node. */
function findNpm(): string {
  const program = process.env['npm_execpath'] ?? join(dirname(process.execPath), 'npm');
  return dirname(dirname(realpathSync(program)));
}
