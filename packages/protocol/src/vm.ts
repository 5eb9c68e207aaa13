/** The words of a browser VM: its states, how it may end, and the runtimes. */
import * as z from 'zod';

export const VM_STATES = ['creating', 'ready', 'claimed', 'draining', 'gone', 'lost'] as const;
export const vmStateSchema = z.enum(VM_STATES);
export type VmState = z.infer<typeof vmStateSchema>;

export const RUNTIME_KINDS = ['process', 'container', 'qemu', 'firecracker', 'incus', 'fake'] as const;
/** Those that exist in this version; the others are planned. */
export const BUILT_RUNTIMES = ['process', 'container', 'qemu', 'firecracker', 'fake'] as const;
export type BuiltRuntime = (typeof BUILT_RUNTIMES)[number];
export const runtimeKindSchema = z.enum(RUNTIME_KINDS);
export type RuntimeKind = z.infer<typeof runtimeKindSchema>;

/** How a VM's first process ended, as its supervisor observed it; it never decides a session's outcome. */
export const vmExitSchema = z.object({
  exitCode: z.number().int().nullable(),
  signal: z.string().nullable(),
  /** In words: `exited with code 1`, `killed by SIGKILL`, `vanished with its supervisor`. */
  reason: z.string().max(300),
  at: z.iso.datetime({ offset: true }),
});
export type VmExit = z.infer<typeof vmExitSchema>;
