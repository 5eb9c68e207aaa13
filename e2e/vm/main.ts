/** The program of `npm run e2e:vm`: what the runtime needs beside the product, the tests over it in a network of their own, one closing line. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createPartNetwork } from '../../scripts/run/part-network.ts';
import { countPlaywright, toClosingLine, toPartCount, type PlaywrightReport } from '../../scripts/run/test-count.ts';
import { ROOT, SCRATCH_DIR } from '../../scripts/start/paths.mjs';
import { runInTerminal } from '../../scripts/start/run-program.mjs';
import { takeRuntime } from '../../scripts/e2e-vm/take-runtime.mjs';
import { openRuntimeSettings } from '../support/runtime-settings.ts';

/** Without KVM a browser in QEMU paints some 30 times later than one in a process. */
const PATIENCE = { process: 1, container: 2, qemu: 20, firecracker: 4 } as const;

const PLAYWRIGHT = join(ROOT, 'node_modules', '@playwright', 'test', 'cli.js');
const CONFIG = join(ROOT, 'e2e', 'vm', 'playwright.config.ts');

function takeReport(file: string): PlaywrightReport | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as PlaywrightReport;
  } catch {
    return null;
  } finally {
    rmSync(file, { force: true });
  }
}

async function main(): Promise<number> {
  const { runtime, rest } = takeRuntime(process.argv.slice(2));
  const settings = await openRuntimeSettings(runtime);
  try {
    const network = process.geteuid?.() === 0 ? await createPartNetwork(2) : null;
    try {
      const report = join(SCRATCH_DIR, `e2e-vm-${process.pid}.json`);
      const argv = [...(network?.enter ?? []), process.execPath, PLAYWRIGHT, 'test', '--config', CONFIG];
      const [program = '', ...args] = [...argv, '--reporter=list,json', ...rest];
      const code = await runInTerminal(program, args, {
        cwd: ROOT,
        env: {
          ...process.env,
          E2E_RUNTIME: runtime,
          E2E_SETTINGS: JSON.stringify(settings.env),
          E2E_PATIENCE: process.env['E2E_PATIENCE'] ?? String(PATIENCE[runtime]),
          PLAYWRIGHT_JSON_OUTPUT_NAME: report,
        },
      });
      const found = takeReport(report);
      console.log(toClosingLine(toPartCount(code, found && countPlaywright(found))));
      return code;
    } finally {
      await network?.close();
    }
  } finally {
    await settings.close();
  }
}

process.exitCode = await main();
