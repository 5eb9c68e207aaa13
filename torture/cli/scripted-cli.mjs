#!/usr/bin/env node
/**
 * A CLI that does what it is told over a journal's socket, step by step: it says what it is about to do, waits until that is written down,
 * and does it. With `--browser` it first has a real browser sign in by itself, over a callback as CLIs use it. It needs no person.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

const EXIT_NO_JOURNAL = 70;

/** What is mounted here is named by the VM's id: a file system by its source, as root, or else a folder of the VM's by its path. */
function readVmId() {
  const mount = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .find((line) => line.split(' ')[4] === '/run/vestibule');
  return /[ /](vm_[\w-]+)(?:\/run)? /.exec(mount ?? '')?.[1] ?? 'unknown';
}

/** @returns a function that says one line and resolves with the answer to it */
async function openJournal() {
  const socket = connect(process.env.TORTURE_JOURNAL ?? '');
  const leave = () => process.exit(EXIT_NO_JOURNAL);
  socket.on('error', leave).on('close', leave);
  const answers = createInterface({ input: socket })[Symbol.asyncIterator]();
  return async (message) => {
    socket.write(`${JSON.stringify(message)}\n`);
    const { value } = await answers.next();
    return JSON.parse(value);
  };
}

function printSignInPage(url) {
  process.stdout.write(`Sign in here:\n${url}\n`);
}

/** Resolves when the browser has come back; the page it is shown goes on by itself. */
async function signInByBrowser() {
  let come;
  const came = new Promise((resolve) => (come = resolve));
  const server = createServer((request, response) => {
    response.writeHead(200, { 'content-type': 'text/html', connection: 'close' });
    if (request.url === '/callback') response.end('Signed in', come);
    else response.end("<script>setTimeout(() => location.replace('/callback'))</script>");
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${server.address().port}/authorize`;
  spawn(process.env.BROWSER ?? 'xdg-open', [url], { stdio: 'ignore' });
  await came;
  server.close();
}

function write({ path, contentBase64 }) {
  const file = join(homedir(), path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, Buffer.from(contentBase64, 'base64'));
}

const vmId = readVmId();
const say = await openJournal();
const { steps } = await say({ type: 'started', vmId });
if (process.argv.includes('--browser')) await signInByBrowser();
else printSignInPage('http://127.0.0.1:9/authorize');

for (const [index, step] of steps.entries()) {
  if (step.do === 'wait') {
    await delay(step.forMs);
    continue;
  }
  await say({ type: 'about_to', index });
  if (step.do === 'write') write(step);
  else if (step.do === 'exit') process.exit(step.code);
  else process.kill(process.pid, 'SIGKILL');
}
// Nothing more to do, and no end: a CLI that hangs.
await delay(3_600_000);
