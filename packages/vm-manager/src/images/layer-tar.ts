/** Writes a tree as a tar that is the same for the same tree, whoever owns the machine it is made on; and measures it. */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { runBuildCommand } from './build-command.ts';

export type Measured = { bytes: number; sha256: string };

export async function writeLayerTar(tree: string, file: string): Promise<Measured> {
  const measure = createMeasure();
  const flags = ['--format=gnu', '--sort=name', '--numeric-owner'];
  await runBuildCommand(['tar', '-C', tree, ...flags, '-cf', '-', '.'], {
    takeOutput: (output) => pipeline(output, measure.stream, createWriteStream(file)),
  });
  return measure.result();
}

export async function measureFile(file: string): Promise<Measured> {
  const measure = createMeasure();
  await pipeline(createReadStream(file, { highWaterMark: 1024 * 1024 }), measure.stream.resume());
  return measure.result();
}

/** Passes bytes on, counting and hashing them. */
export function createMeasure(): { stream: Transform; result: () => Measured } {
  const hash = createHash('sha256');
  let bytes = 0;
  const stream = new Transform({
    highWaterMark: 1024 * 1024,
    transform(chunk: Buffer, _encoding, next) {
      hash.update(chunk);
      bytes += chunk.length;
      next(null, chunk);
    },
  });
  return { stream, result: () => ({ bytes, sha256: hash.digest('hex') }) };
}
