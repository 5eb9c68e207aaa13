/** `vestibule images build`, `list` and `gc`: what browser VMs start from on this machine. The VM manager's own program does it. */
import { join } from 'node:path';
import { CliError, type Exit } from '../cli-error.ts';
import type { Cli } from '../cli.ts';
import { findProductFolder, type ProductFolder } from '../product-folder.ts';
import { runInTerminal, runQuietly } from '../run-program.ts';

export type ImageFlags = { dataDir?: string; fresh?: boolean; dryRun?: boolean };

export async function runImages(cli: Cli, action: 'build' | 'list' | 'gc', flags: ImageFlags): Promise<Exit> {
  const { config, report } = cli;
  const product = findProductFolder();
  if (action === 'build') await buildProduct(product, config.programEnvironment);
  const dataDir = flags.dataDir ?? config.dataDir;
  const imagesDir = flags.dataDir === undefined ? config.imagesDir : join(dataDir, 'images');
  const args = [
    ...[product.tsx, product.images, action, '--images-dir', imagesDir, '--vms-dir', join(dataDir, 'vms')],
    ...(flags.fresh === true ? ['--fresh'] : []),
    ...(flags.dryRun === true ? ['--dry-run'] : []),
    ...(report.isJson ? ['--json'] : []),
  ];
  const code = await runInTerminal(args, { cwd: product.root, env: config.programEnvironment });
  return code === 0 ? 'done' : code === 130 ? 'interrupted' : 'failed';
}

/** The agent that goes into the image. */
async function buildProduct(product: ProductFolder, env: NodeJS.ProcessEnv): Promise<void> {
  const built = await runQuietly([product.tsx, product.build], { cwd: product.root, env });
  if (built.code !== 0) throw new CliError('failed', `Vestibule could not be built:\n${built.output}`);
}
