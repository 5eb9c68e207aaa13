/** Where the demo CLI keeps its login: one JSON file, 0600, written whole or not at all. */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

function toPath() {
  return join(homedir(), '.config', 'vestibule-demo', 'credentials.json');
}

/** Null when nobody is signed in. */
export async function readCredentials() {
  try {
    const credentials = JSON.parse(await readFile(toPath(), 'utf8'));
    return credentials.account && credentials.access_token && credentials.refresh_token ? credentials : null;
  } catch {
    return null;
  }
}

export async function writeCredentials(credentials) {
  const path = toPath();
  const aside = `${path}.${process.pid}`;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeFile(aside, `${JSON.stringify(credentials, null, 2)}\n`, { mode: 0o600 });
  await rename(aside, path);
}
