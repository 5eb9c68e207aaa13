/** Runs a bundled program on a Node of its own and takes each line it prints as JSON. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** Short-lived objects by the million: a larger young generation halves what collecting them costs. */
const MEMORY = '--max-semi-space-size=64';

/** Resolves when it ended with 0 and all lines were taken. */
export function runLines(args: readonly string[], take: (line: unknown) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [MEMORY, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    const lines = createInterface({ input: child.stdout });
    const exited = new Promise<number | null>((done) => child.once('exit', (code) => done(code)));
    lines.on('line', (line) => take(JSON.parse(line)));
    child.once('error', reject);
    lines.once('close', () => {
      void exited.then((code) => (code === 0 ? resolve() : reject(new Error(`${args[0]} ended with ${code}`))));
    });
  });
}
