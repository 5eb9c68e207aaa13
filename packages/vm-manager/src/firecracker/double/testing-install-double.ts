/** Puts the doubles of `firecracker` and `jailer` into a folder, each a program of its own, with the settings that let them run. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { SETTINGS_FILE, type DoubleSettingsInput } from './double-settings.ts';

export type InstalledDouble = {
  firecrackerPath: string;
  jailerPath: string;
  /** For VMs that are started from now on. */
  configure(changes: Omit<DoubleSettingsInput, 'thisIsNotFirecracker' | 'guest'>): void;
};

/** `guest`: what guests are made of. Only root needs to be able to look into `dir`. */
export async function installFirecrackerDouble(
  dir: string,
  guest: DoubleSettingsInput['guest'],
): Promise<InstalledDouble> {
  const result = await build({
    ...{ bundle: true, platform: 'node', format: 'cjs', target: 'node20', logLevel: 'error', write: false },
    banner: { js: `#!${process.execPath}` },
    entryPoints: [fileURLToPath(new URL('main.ts', import.meta.url))],
  });
  const text = result.outputFiles[0]?.text ?? '';
  const [firecrackerPath, jailerPath] = [join(dir, 'firecracker'), join(dir, 'jailer')];
  for (const path of [firecrackerPath, jailerPath]) writeFileSync(path, text, { mode: 0o755 });
  const configure: InstalledDouble['configure'] = (changes) =>
    writeFileSync(join(dir, SETTINGS_FILE), JSON.stringify({ thisIsNotFirecracker: true, guest, ...changes }), {
      mode: 0o644,
    });
  configure({});
  return { firecrackerPath, jailerPath, configure };
}
