#!/usr/bin/env node
/** The demo CLI: `login` signs in through a browser, `status` says whether somebody is signed in. Plain Node, no dependencies. */
import { readCredentials } from './credentials.mjs';

const [command] = process.argv.slice(2);

switch (command) {
  case 'login': {
    const { login } = await import('./login.mjs');
    process.exitCode = await login();
    break;
  }
  case 'status': {
    const credentials = await readCredentials();
    process.stdout.write(credentials ? `Signed in as ${credentials.account}\n` : 'Not signed in\n');
    process.exitCode = credentials ? 0 : 1;
    break;
  }
  default:
    process.stderr.write('Usage: demo-cli login | status\n');
    process.exitCode = 2;
}
