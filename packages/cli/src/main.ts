/** The command line of `vestibule`: its words and flags, and how each command ends. */
import { CommanderError } from 'commander';
import { CliError, EXIT_CODES, toCliError, type Exit } from './cli-error.ts';
import type { Cli } from './cli.ts';
import { loadProcessConfig } from './config.ts';
import { createInterrupts } from './interrupts.ts';
import { createProgram, type GlobalFlags } from './program.ts';
import { createReport } from './report.ts';
import { openTerminal, type Terminal } from './terminal.ts';

const config = loadProcessConfig();
const interrupts = createInterrupts(() => {
  terminal?.close();
  process.exit(EXIT_CODES.interrupted);
});
let terminal: Terminal | null = null;

async function run(flags: GlobalFlags, command: (cli: Cli) => Promise<Exit>): Promise<void> {
  const opened = openTerminal(process.stdin, process.stderr, interrupts.raise);
  terminal = opened;
  const report = createReport(flags.json === true, process, opened.print);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupts.raise);
  try {
    const exit = await command({ config, flags, report, terminal: opened, interrupts });
    process.exitCode = EXIT_CODES[exit];
  } catch (error) {
    const { exit, message } = toCliError(error, flags.server ?? config.server);
    report.tell({ type: 'error', exit, message }, null);
    if (!report.isJson) report.warn(message);
    process.exitCode = EXIT_CODES[exit];
  } finally {
    opened.close();
  }
}

// A reader that goes away (`| head`) is no failure.
process.stdout.on('error', () => process.exit(process.exitCode ?? EXIT_CODES.done));
try {
  await createProgram(run).parseAsync(process.argv);
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? EXIT_CODES.done : EXIT_CODES.usage;
  else if (error instanceof CliError) {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = EXIT_CODES[error.exit];
  } else throw error;
}
