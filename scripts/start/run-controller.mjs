/**
 * Runs the controller as a child that hears each request to stop exactly once. A Ctrl-C reaches this process from the terminal and,
 * at the same moment, again from npm; the child is in a process group of its own and gets one signal from here. It holds one end of
 * an IPC channel, so that it notices when this process is killed.
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';

/** Equal signals closer together than this are one wish to stop. */
const SAME_WISH_MS = 500;

/** @type {Partial<Record<NodeJS.Signals, NodeJS.Signals>>} */
const FORWARDED = { SIGINT: 'SIGINT', SIGTERM: 'SIGTERM', SIGHUP: 'SIGTERM' };

/**
 * @param {string} program
 * @param {readonly string[]} args
 * @param {{ cwd: string, env: NodeJS.ProcessEnv, sameWishMs?: number }} options
 * @returns {Promise<number>} the child's exit code; 128 + n when signal n ended it
 */
export function runController(program, args, { cwd, env, sameWishMs = SAME_WISH_MS }) {
  return new Promise((resolve) => {
    const child = spawn(program, [...args], {
      cwd,
      env,
      detached: true,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    /** @type {(() => void)[]} */
    const releasers = [];
    for (const [heard, passed] of Object.entries(FORWARDED)) {
      let lastWish = -Infinity;
      const forward = () => {
        const now = performance.now();
        if (now - lastWish < sameWishMs) return;
        lastWish = now;
        child.kill(passed);
      };
      process.on(heard, forward);
      releasers.push(() => process.off(heard, forward));
    }
    /** @param {number} code */
    const end = (code) => {
      for (const release of releasers) release();
      resolve(code);
    };
    child.once('error', (error) => {
      console.error(`The controller could not be started: ${error.message}`);
      end(127);
    });
    child.once('exit', (code, signal) => end(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
}
