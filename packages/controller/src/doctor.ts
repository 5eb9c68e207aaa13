/**
 * A program of its own, which `vestibule doctor` runs: `[RUNTIME] [--json]` and the options of a start. Asks the runtime that the settings
 * or the word names what it lacks, really trying it, in a scratch folder; a Vestibule that runs is not touched. Exit code 0 when nothing is
 * missing, 1 when something is, 2 when the settings cannot be used.
 */
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BUILT_RUNTIMES, type BuiltRuntime } from '@vestibule/protocol/vm';
import { type Config, ConfigError, findProcessRuntime, loadProcessConfig, loadProcessConfigFor } from './config.ts';
import { createRuntime } from './create-runtime.ts';
import { countMissing, type Diagnosis, toDoctorText } from './doctor-report.ts';
import { findProductFolder } from './product-folder.ts';

function loadDoctorConfig(argv: readonly string[], named: BuiltRuntime | null): [Config, boolean] {
  return named === null
    ? [loadProcessConfig(argv), true]
    : [loadProcessConfigFor(named, argv), named === findProcessRuntime()];
}

/**
 * What the runtime keeps by the name of the installation, such as an image in a container engine, is then what the server uses; without a
 * server on this machine, a name of its own.
 */
function findInstallationId({ dataDir }: Config): string {
  try {
    return readFileSync(join(dataDir, 'installation-id'), 'utf8').trim() || DOCTOR;
  } catch {
    return DOCTOR;
  }
}

const DOCTOR = 'doctor';

async function diagnose(config: Config, isConfigured: boolean): Promise<Diagnosis> {
  const dir = mkdtempSync(join(tmpdir(), 'vestibule-doctor-'));
  try {
    // Probes run as other users.
    chmodSync(dir, 0o711);
    const vmsDir = join(dir, 'vms');
    mkdirSync(vmsDir, { mode: 0o711 });
    const [vmLogsDir, jailsDir] = [join(dir, 'logs'), join(dir, 'jails')];
    const folder = { vmsDir, vmLogsDir, jailsDir, installationId: findInstallationId(config) };
    const runtime = createRuntime({ config, folder, product: findProductFolder() });
    const requirements = await runtime.preflight();
    const { kind, sharedKernel } = runtime;
    return { runtime: kind, isConfigured, sharedKernel, pace: runtime.pace(), requirements };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

async function main(argv: readonly string[]): Promise<number> {
  const [first = ''] = argv;
  const named = BUILT_RUNTIMES.find((kind) => kind === first) ?? null;
  const rest = (named === null ? argv : argv.slice(1)).filter((word) => word !== '--json');
  const diagnosis = await diagnose(...loadDoctorConfig(rest, named));
  const json = `${JSON.stringify({ type: 'doctor', ...diagnosis })}\n`;
  process.stdout.write(argv.includes('--json') ? json : toDoctorText(diagnosis));
  return countMissing(diagnosis) === 0 ? 0 : 1;
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    const words = error instanceof ConfigError ? error.message : error instanceof Error ? error.stack : String(error);
    process.stderr.write(`${words}\n`);
    process.exit(2);
  },
);
