#!/usr/bin/env node
/**
 * `open` shows the sign-in page, `half` writes half of the login, `whole` all of it, `finish` all of it and ends with 0, `crash` all of it
 * and ends with 3, `blank` one without a token and ends with 0.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';

const file = join(homedir(), '.config', 'scripted', 'login.json');
const login = JSON.stringify({ token: `scripted-${Date.now()}` });

function write(text) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

const steps = {
  open: () => process.stdout.write('Sign in at http://127.0.0.1:9/authorize\n'),
  half: () => write(login.slice(0, login.length / 2)),
  whole: () => write(login),
  crash() {
    write(login);
    process.exit(3);
  },
  blank() {
    write(JSON.stringify({ token: '' }));
    process.exit(0);
  },
  finish() {
    write(login);
    process.exit(0);
  },
};

createInterface({ input: process.stdin }).on('line', (line) => steps[line]?.());
