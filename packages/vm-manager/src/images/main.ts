/** The program that `vestibule images` starts; `images-program.ts` says what it does. */
import { runImagesProgram } from './images-program.ts';

const EXIT_INTERRUPTED = 130;

// What it started ends with it, and the next build clears away what they left.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.once(signal, () => {
    process.stderr.write('\nStopped. The images are as they were.\n');
    process.exit(EXIT_INTERRUPTED);
  });
process.umask(0o022);
process.exitCode = await runImagesProgram(process.argv.slice(2), process);
