/**
 * What the CLI of a `fake` VM wrote and how it ended, one JSON line for each, for whoever judges a product by it. Written before the agent
 * says a word of it, so that nothing can be stored that is not here. Times are of the machine's monotonic clock, which all processes share.
 */
import { appendFileSync } from 'node:fs';
import type { CredentialFiles } from '@vestibule/protocol/agent-messages';
import type { FakeScript } from './fake-script.ts';

export type FakeJournalLine = { atMs: number; vmId: string; script: FakeScript; files: CredentialFiles };

export function appendToJournal(vmId: string, script: FakeScript, files: CredentialFiles): void {
  if (script.journal === null) return;
  const line: FakeJournalLine = { atMs: Number(process.hrtime.bigint()) / 1e6, vmId, script, files };
  appendFileSync(script.journal, `${JSON.stringify(line)}\n`, { mode: 0o600 });
}
