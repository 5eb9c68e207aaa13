/** Writes `.env.example` from the settings' schema; with `--check`, only says whether the committed file is current (exit code 1 if not). */
import { readFileSync, writeFileSync } from 'node:fs';
import { toEnvExample } from '../packages/controller/src/settings-text.ts';

const path = new URL('../.env.example', import.meta.url);
const text = toEnvExample();

if (process.argv.includes('--check')) {
  if (readFileSync(path, 'utf8') !== text) {
    console.error('.env.example is not current: run `npx tsx scripts/settings-example.ts` and commit the file.');
    process.exitCode = 1;
  }
} else {
  writeFileSync(path, text);
}
