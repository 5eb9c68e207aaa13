/** Runs a program to its end, by argv, never through a shell. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const KEPT_LINES = 40;

/**
 * @typedef {{ code: number, tail: string[], stdout: string }} Ended `tail`: the last lines of both outputs; code 127 when it could not be started.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, onLine?: (line: string) => void, onErrorLine?: (line: string) => void, stdin?: 'inherit' | 'ignore' }} [options]
 *   `onLine` sees each line of the standard output, `onErrorLine` of the other
 * @returns {Promise<Ended>}
 */
export function runProgram(program, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, [...args], {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: [options.stdin ?? 'ignore', 'pipe', 'pipe'],
    });
    /** @type {string[]} */
    const tail = [];
    let stdout = '';
    /** @param {string} line */
    const keep = (line) => {
      tail.push(line);
      if (tail.length > KEPT_LINES) tail.shift();
    };
    createInterface({ input: child.stdout }).on('line', (line) => {
      keep(line);
      stdout += `${line}\n`;
      options.onLine?.(line);
    });
    createInterface({ input: child.stderr }).on('line', (line) => {
      keep(line);
      options.onErrorLine?.(line);
    });
    child.once('error', (error) => resolve({ code: 127, tail: [error.message], stdout }));
    child.once('close', (code) => resolve({ code: code ?? 1, tail, stdout }));
  });
}

/**
 * Runs a TypeScript program of this repository that clears up by itself: a signal to this process alone is passed on, and its end is waited
 * for. A terminal interrupts both at once.
 * @param {string} file from the root
 * @param {readonly string[]} args
 * @param {string} root
 * @returns {Promise<number>} the exit code
 */
export function runWithSignals(file, args, root) {
  const child = spawn(process.execPath, ['--import', 'tsx', file, ...args], { cwd: root, stdio: 'inherit' });
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']))
    process.on(signal, () => child.kill(signal));
  return new Promise((resolve) => child.once('close', (code) => resolve(code ?? 1)));
}

/**
 * As `runProgram`, with the terminal given to the program.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<number>} the exit code
 */
export function runInTerminal(program, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, [...args], { cwd: options.cwd, env: options.env ?? process.env, stdio: 'inherit' });
    child.once('error', () => resolve(127));
    child.once('close', (code) => resolve(code ?? 1));
  });
}
