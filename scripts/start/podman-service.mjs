/**
 * Sees to the socket of podman's API, which the runtime `container` uses. Where systemd is, the socket is systemd's; elsewhere the API is a
 * child of this start, and its containers outlive it. Never stops a start: what it could not do, the runtime's preflight names.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { runProgram } from './run-program.mjs';

export const PODMAN_SOCKET = '/run/podman/podman.sock';
const DOCKER_SOCKETS = ['/run/docker.sock', '/var/run/docker.sock'];
const START_MS = 20_000;
const POLL_MS = 50;

/**
 * @param {string} path
 * @returns {Promise<boolean>}
 */
function canConnect(path) {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}

/** @param {string} socketPath */
async function startService(socketPath) {
  mkdirSync(dirname(socketPath), { recursive: true });
  // Nobody answers there.
  rmSync(socketPath, { force: true });
  const service = spawn('podman', ['system', 'service', '--time=0', `unix://${socketPath}`], {
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  service.stderr.setEncoding('utf8').on('data', (text) => (said = (said + text).slice(-500)));
  let hasEnded = false;
  const ended = new Promise((resolve) => service.once('error', resolve).once('close', resolve)).then(
    () => (hasEnded = true),
  );
  const deadline = performance.now() + START_MS;
  while (!hasEnded && performance.now() < deadline) {
    if (await canConnect(socketPath)) {
      console.log(`Started the API of podman on ${socketPath}; it ends with this start, its containers do not.`);
      return async () => {
        service.kill('SIGTERM');
        await ended;
      };
    }
    await delay(POLL_MS);
  }
  service.kill('SIGKILL');
  console.log(`The API of podman did not start on ${socketPath}. ${said.trim()}`);
  return async () => {};
}

/**
 * @param {{ socketPath?: string }} [options] for tests
 * @returns {Promise<() => Promise<void>>} ends what was started here
 */
export async function ensurePodmanService({ socketPath = PODMAN_SOCKET } = {}) {
  const answers = await Promise.all([socketPath, ...DOCKER_SOCKETS].map(canConnect));
  if (answers.includes(true) || process.getuid?.() !== 0) return async () => {};
  if (!existsSync('/run/systemd/system')) return startService(socketPath);
  const { code, tail } = await runProgram('systemctl', ['enable', '--now', 'podman.socket']);
  if (code !== 0) console.log(`systemctl could not start podman.socket. It said:\n${tail.join('\n')}`);
  return async () => {};
}
