/**
 * The program of `npm run e2e:vm`: the tests over one runtime, with what it needs beside the product, in a network of their own; one closing
 * line. It runs itself inside that network, so that an engine sees what the product mounts there.
 */
import { spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { takeRuntime } from '../../scripts/e2e-vm/take-runtime.mjs';
import { createPartNetwork } from '../../scripts/run/part-network.ts';
import { countPlaywright, toClosingLine, toPartCount, type PlaywrightReport } from '../../scripts/run/test-count.ts';
import { ROOT, SCRATCH_DIR } from '../../scripts/start/paths.mjs';
import { openRuntimeSettings } from '../support/runtime-settings.ts';

/** Without KVM a browser in QEMU paints some 30 times later than one in a process. */
const PATIENCE = { process: 1, container: 2, qemu: 20, firecracker: 4 } as const;

const PLAYWRIGHT = join(ROOT, 'node_modules', '@playwright', 'test', 'cli.js');
const CONFIG = join(ROOT, 'e2e', 'vm', 'playwright.config.ts');
const INSIDE = 'E2E_INSIDE_NETWORK';
const NETWORK_NUMBER = 2;

/** A signal to this process is the program's to end by; what surrounds it is cleared up afterwards. */
function run([program = '', ...args]: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const child = spawn(program, args, { cwd: ROOT, env: { ...process.env, ...env }, stdio: 'inherit' });
  const pass = (signal: NodeJS.Signals): boolean => child.kill(signal);
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, pass);
  return new Promise((resolve) => {
    child.once('error', () => resolve(127));
    child.once('close', (code) => resolve(code ?? 1));
  });
}

/** Where `npm test` wants the runner's report, which it reads itself. */
const WANTED_REPORT = process.env['PLAYWRIGHT_JSON_OUTPUT_NAME'];

function readReport(file: string): PlaywrightReport | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as PlaywrightReport;
  } catch {
    return null;
  } finally {
    if (file !== WANTED_REPORT) rmSync(file, { force: true });
  }
}

async function runInside(argv: readonly string[]): Promise<number> {
  const network = await createPartNetwork(NETWORK_NUMBER);
  try {
    return await run([...network.enter, process.execPath, '--import', 'tsx', import.meta.filename, ...argv], {
      [INSIDE]: '1',
    });
  } finally {
    await network.close();
  }
}

async function runTests(argv: readonly string[]): Promise<number> {
  const { runtime, rest } = takeRuntime(argv);
  const settings = await openRuntimeSettings(runtime);
  try {
    const report = WANTED_REPORT ?? join(SCRATCH_DIR, `e2e-vm-${process.pid}.json`);
    const code = await run(
      [process.execPath, PLAYWRIGHT, 'test', '--config', CONFIG, '--reporter=list,json', ...rest],
      {
        E2E_RUNTIME: runtime,
        E2E_SETTINGS: JSON.stringify(settings.env),
        E2E_PATIENCE: process.env['E2E_PATIENCE'] ?? String(PATIENCE[runtime]),
        PLAYWRIGHT_JSON_OUTPUT_NAME: report,
      },
    );
    const found = readReport(report);
    console.log(toClosingLine(toPartCount(code, found && countPlaywright(found))));
    return code;
  } finally {
    await settings.close();
  }
}

const argv = process.argv.slice(2);
const isRoot = process.geteuid?.() === 0;
process.exitCode = await (isRoot && process.env[INSIDE] === undefined ? runInside(argv) : runTests(argv));
