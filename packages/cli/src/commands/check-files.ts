/** `vestibule providers check FILE…`: what is wrong with definition files, line by line. The controller's own program says it. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { CliError, type Exit } from '../cli-error.ts';
import type { Cli } from '../cli.ts';
import { findProductFolder } from '../product-folder.ts';
import { runInTerminal } from '../run-program.ts';

export async function checkFiles({ config, report }: Cli, files: readonly string[]): Promise<Exit> {
  const product = findProductFolder();
  const paths = files.map((file) => resolve(file));
  for (const path of paths) if (!existsSync(path)) throw new CliError('usage', `There is no file ${path}.`);
  const args = [product.tsx, product.checkProviderFile, ...paths, ...(report.isJson ? ['--json'] : [])];
  const code = await runInTerminal(args, { cwd: product.root, env: config.programEnvironment });
  return code === 0 ? 'done' : 'failed';
}
