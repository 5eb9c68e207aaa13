/** Reads what the CLIs of fake VMs wrote, from the file that the runtime `fake` keeps of it, into the run's journal. */
import { existsSync, readFileSync } from 'node:fs';
import type { FakeJournalLine } from '@vestibule/vm-manager/fake/fake-journal';
import { toWrites, type Journal } from './journal.ts';

export function readFakeJournal(path: string, journal: Journal): void {
  if (!existsSync(path)) return;
  const lines = readFileSync(path, 'utf8').split('\n');
  // The last may be cut short, by the death of who wrote it: of that nothing was said to anybody.
  for (const line of lines.slice(0, -1)) noteLine(JSON.parse(line) as FakeJournalLine, journal);
}

function noteLine({ atMs, vmId, script, files }: FakeJournalLine, journal: Journal): void {
  const state = script.credential === 'complete' ? 'complete' : 'incomplete';
  journal.note(
    { type: 'cli_started', vmId, behaviour: `${script.credential}, exits with ${script.cliExitCode}` },
    atMs,
  );
  for (const write of toWrites(files, state)) journal.note({ type: 'cli_writes', vmId, write }, atMs);
  journal.note({ type: 'cli_exits', vmId, exitCode: script.cliExitCode }, atMs);
  const endsThen = script.exit?.when === 'handed_over' || script.hang === 'handed_over';
  if (endsThen) noteEnd(vmId, atMs, journal);
}

/** Numbers below 0 are of no other fault. */
let ends = 0;
function noteEnd(vmId: string, atMs: number, journal: Journal): void {
  const faultId = (ends -= 1);
  journal.note({ type: 'fault_began', faultId, kind: 'scripted_end', scope: { vmId }, detail: 'by its script' }, atMs);
}
