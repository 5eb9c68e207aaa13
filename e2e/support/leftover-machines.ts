/** Ends the browser machines that a stopped Vestibule left: they outlive it on purpose, and a test must leave nothing. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createProcessRuntime } from '@vestibule/vm-manager/runtimes/process-runtime';
import { findProductFolder } from '../../packages/controller/src/product-folder.ts';

export async function destroyLeftoverMachines(dataDir: string): Promise<void> {
  const idFile = join(dataDir, 'installation-id');
  if (!existsSync(idFile)) return;
  const { supervisorEntry, agentDir, policyFile } = findProductFolder();
  const runtime = createProcessRuntime({
    installationId: readFileSync(idFile, 'utf8').trim(),
    vmsDir: join(dataDir, 'vms'),
    logsDir: join(dataDir, 'logs', 'vms'),
    supervisorEntry,
    agentDir,
    nodePath: process.execPath,
    policyFile,
    chromiumPath: '/usr/lib/chromium/chromium',
    vmDns: [],
  });
  for (const vmId of await runtime.list()) await runtime.destroy(vmId);
}
