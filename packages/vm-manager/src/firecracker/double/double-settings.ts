/**
 * What a double of Firecracker needs to be told, in `double.json` beside its two programs. Without that file, and the line in it that says what
 * this is, they refuse: nobody takes them for Firecracker by accident. A file, because jailer and supervisor pass no environment on.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';

export const SETTINGS_FILE = 'double.json';
export const VERSION = '1.16.1-double';

/** How the machine ends: `reboot` and `panic` exit with 0, `triple_fault` with 1, `poweroff` never, a number with that code. */
const endSchema = z.union([z.enum(['reboot', 'panic', 'triple_fault', 'poweroff']), z.number().int().min(0).max(255)]);
export type MachineFate = z.infer<typeof endSchema>;

const settingsSchema = z.strictObject({
  thisIsNotFirecracker: z.literal(true),
  /** What a guest is made of: a sandbox of the runtime `process`. */
  guest: z.strictObject({ agentDir: z.string(), nodePath: z.string() }),
  /** Answers that are slow or fail: of the first request whose method and path these are. */
  answers: z
    .array(
      z.strictObject({
        request: z.string(),
        delayMs: z.number().int().nonnegative().default(0),
        /** Instead of doing what was asked: a fault, a connection closed without an answer, or garbage. */
        instead: z.union([z.strictObject({ fault: z.string() }), z.enum(['hang_up', 'garbage'])]).optional(),
      }),
    )
    .default([]),
  /** What is said on a vsock connection from the host, in place of `OK <port>`. */
  vsockAnswers: z.strictObject({ delayMs: z.number().int().nonnegative(), text: z.string() }).optional(),
  /** When the guest says a line with `text` on a port, the machine ends so; the end of that line is passed on first where `isHeard`. */
  endWhenSaid: z
    .strictObject({ port: z.number().int(), text: z.string(), isHeard: z.boolean(), end: endSchema })
    .optional(),
  /** After the guest's agent has run so long. */
  endAfter: z.strictObject({ delayMs: z.number().int().nonnegative(), end: endSchema }).optional(),
});
export type DoubleSettings = z.infer<typeof settingsSchema>;
export type DoubleSettingsInput = z.input<typeof settingsSchema>;

/** Throws, in words, where the double may not run. `program`: its path. */
export function loadDoubleSettings(program: string): DoubleSettings {
  const path = join(dirname(program), SETTINGS_FILE);
  try {
    return settingsSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    throw new Error(`this is a double of Firecracker for tests, and ${path} does not let it run`, { cause: error });
  }
}

/** What a test tells a running double on the socket `double.sock` in its jail: how to end. */
export const parseMachineFate = (line: string): MachineFate => endSchema.parse(JSON.parse(line));
