/** What one browser VM may use of its host. Enforced by the kernel (cgroups) or by the VM's own size, never by trust. */
export type VmLimits = {
  /** Memory of all its processes and memory file systems, MiB. */
  memoryMib: number;
  /** Processes and threads. */
  pids: number;
  /** Processor cores; a fraction is allowed where the runtime takes one. */
  cpus: number;
  /** What it may write, MiB: its overlay disk, or each of its memory file systems. */
  diskMib: number;
};

export const DEFAULT_VM_LIMITS: VmLimits = { memoryMib: 2048, pids: 1024, cpus: 2, diskMib: 512 };
