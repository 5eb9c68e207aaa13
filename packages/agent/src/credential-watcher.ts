/**
 * Watches the credential files of a CLI whose sign-in ends while it still runs: tells once when every file is complete and its content
 * has not changed for a while. Time is monotonic.
 */
import { createHash } from 'node:crypto';
import type { CredentialFileSpec } from '@vestibule/protocol/credential-document';
import { readCredentialFiles, type CredentialReading } from './credential-file.ts';
import { watchHome } from './home-watch.ts';

export type CredentialWatcher = { close: () => void };

export type CredentialWatcherOptions = {
  home: string;
  specs: readonly CredentialFileSpec[];
  /** How long the content must stay as it is. */
  settleMs?: number;
  onSettled: () => void;
};

export function watchCredential({
  home,
  specs,
  settleMs = 300,
  onSettled,
}: CredentialWatcherOptions): CredentialWatcher {
  let print: string | null = null;
  let unchangedSince = 0;
  let timer: NodeJS.Timeout | undefined;
  let looking = false;
  let lookAgain = false;
  let closed = false;

  const look = async (): Promise<void> => {
    const current = toPrint(await readCredentialFiles(home, specs));
    if (closed) return;
    if (current !== print) {
      print = current;
      unchangedSince = performance.now();
    }
    if (print === null) return;
    const remainingMs = unchangedSince + settleMs - performance.now();
    if (remainingMs <= 0) {
      close();
      onSettled();
      return;
    }
    clearTimeout(timer);
    timer = setTimeout(onChange, remainingMs);
  };
  function onChange(): void {
    lookAgain = looking;
    if (looking || closed) return;
    looking = true;
    // A look that fails (a folder that vanished meanwhile) is made good by the next one.
    void look()
      .catch(() => undefined)
      .finally(() => {
        looking = false;
        if (lookAgain) onChange();
      });
  }
  function close(): void {
    closed = true;
    clearTimeout(timer);
    homeWatch.close();
  }

  const homeWatch = watchHome(
    home,
    specs.map(({ path }) => path),
    onChange,
  );
  onChange();
  return { close };
}

/** A fingerprint of the content, or null while a file is not complete. */
function toPrint(readings: readonly CredentialReading[]): string | null {
  const hash = createHash('sha256');
  for (const reading of readings) {
    if (reading.state !== 'complete') return null;
    hash.update(`${reading.path}\0${reading.bytes.length}\0`).update(reading.bytes);
  }
  return hash.digest('hex');
}
