/** `vestibule sessions log SESSION`: what the machine of a sign-in printed. */
import type { Exit } from '../cli-error.ts';
import { connectTo, type Cli } from '../cli.ts';

export async function showMachineLog(cli: Cli, sessionId: string): Promise<Exit> {
  const log = await connectTo(cli).client.readMachineLog(sessionId);
  cli.report.tell({ type: 'machine_log', sessionId, log }, log.trimEnd());
  return 'done';
}
