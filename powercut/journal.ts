/** What was acknowledged as stored, written down outside of the disk that loses things: one line each. */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';

export type Acknowledged = { credentialId: string; sessionId: string; userId: string; contentHash: string };

/** Whole when it returns: the writer may be killed right after. */
export function note(journal: string, entry: Acknowledged): void {
  appendFileSync(journal, `${JSON.stringify(entry)}\n`);
}

export function readJournal(journal: string): Acknowledged[] {
  if (!existsSync(journal)) return [];
  const lines = readFileSync(journal, 'utf8').split('\n');
  // The last one is empty, or was being written when the power went: nobody had heard of it then.
  return lines.slice(0, -1).map((line) => JSON.parse(line) as Acknowledged);
}
