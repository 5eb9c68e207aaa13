/** `vestibule doctor [RUNTIME]`: what this machine lacks to run browser VMs. The controller's own program tries it and says it. */
import { CliError, type Exit } from '../cli-error.ts';
import type { Cli } from '../cli.ts';
import { findProductFolder } from '../product-folder.ts';
import { runInTerminal } from '../run-program.ts';

const EXIT_MISSING = 1;

export async function examine({ config, report }: Cli, runtime: string | undefined): Promise<Exit> {
  const product = findProductFolder();
  const args = [product.tsx, product.doctor, ...(runtime === undefined ? [] : [runtime])];
  const code = await runInTerminal([...args, ...(report.isJson ? ['--json'] : [])], {
    cwd: product.root,
    env: config.serverEnvironment,
  });
  if (code === 0) return 'done';
  if (code === EXIT_MISSING) return 'failed';
  throw new CliError('usage', 'Correct the settings of the server, then try again.');
}
