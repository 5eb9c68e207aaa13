/** The bodies that Firecracker takes before a VM runs, from its published API description; a field it does not know is refused. */
import { z } from 'zod';

const count = z.number().int().min(0);
const tokenBucket = z.strictObject({ size: count, refill_time: count, one_time_burst: count.nullish() });
const rateLimiter = z.strictObject({ bandwidth: tokenBucket.nullish(), ops: tokenBucket.nullish() });

export const machineConfigSchema = z.strictObject({
  vcpu_count: z.number().int(),
  mem_size_mib: z.number().int(),
  smt: z.boolean().default(false),
  track_dirty_pages: z.boolean().default(false),
  cpu_template: z.enum(['C3', 'T2', 'T2S', 'T2CL', 'T2A', 'V1N1', 'None']).nullish(),
  huge_pages: z.enum(['None', 'Transparent', '2M']).default('None'),
});
export const bootSourceSchema = z.strictObject({
  kernel_image_path: z.string(),
  initrd_path: z.string().nullish(),
  boot_args: z.string().nullish(),
});
export const driveSchema = z.strictObject({
  drive_id: z.string(),
  partuuid: z.string().nullish(),
  is_root_device: z.boolean(),
  cache_type: z.enum(['Unsafe', 'Writeback']).default('Unsafe'),
  is_read_only: z.boolean().nullish(),
  path_on_host: z.string().nullish(),
  rate_limiter: rateLimiter.nullish(),
  io_engine: z.enum(['Sync', 'Async']).nullish(),
  socket: z.string().nullish(),
});
export const networkInterfaceSchema = z.strictObject({
  iface_id: z.string(),
  host_dev_name: z.string(),
  guest_mac: z
    .string()
    .regex(/^([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}$/)
    .nullish(),
  mtu: z.number().int().min(68).max(65_535).nullish(),
  rx_rate_limiter: rateLimiter.nullish(),
  tx_rate_limiter: rateLimiter.nullish(),
});
export const vsockSchema = z.strictObject({
  guest_cid: z.number().int().min(3),
  uds_path: z.string(),
  vsock_id: z.string().nullish(),
});
export const entropySchema = z.strictObject({ rate_limiter: rateLimiter.nullish() });
export const loggerSchema = z.strictObject({
  level: z
    .string()
    .regex(/^(error|warning|warn|info|debug|trace|off)$/i)
    .nullish(),
  log_path: z.string().nullish(),
  show_level: z.boolean().nullish(),
  show_log_origin: z.boolean().nullish(),
  module: z.string().nullish(),
});
export const metricsSchema = z.strictObject({ metrics_path: z.string() });
export const serialSchema = z.strictObject({
  serial_out_path: z.string().nullish(),
  rate_limiter: tokenBucket.nullish(),
});
export const actionSchema = z.strictObject({
  action_type: z.enum(['InstanceStart', 'SendCtrlAltDel', 'FlushMetrics']),
});

/** Throws an Error with the words of Firecracker's fault. */
export function parseBody<T>(schema: z.ZodType<T>, text: string): T {
  const prefix = 'An error occurred when deserializing the json body of a request';
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error(`${prefix}: expected value at line 1 column 1.`);
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  if (issue?.code === 'unrecognized_keys') throw new Error(`${prefix}: unknown field \`${issue.keys[0]}\`.`);
  const path = issue?.path.join('.') ?? '';
  if (issue?.code === 'invalid_type' && issue.input === undefined)
    throw new Error(`${prefix}: missing field \`${path}\`.`);
  throw new Error(`${prefix}: invalid value for \`${path}\`: ${issue?.message}.`);
}
