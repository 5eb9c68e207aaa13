/** A program of its own, which `vestibule providers check` runs; `providers/file-check.ts` says what it prints and how it exits. */
import { checkFiles } from './providers/file-check.ts';

const { exitCode, stdout, stderr } = checkFiles(process.argv.slice(2));
process.stdout.write(stdout);
process.stderr.write(stderr);
process.exitCode = exitCode;
