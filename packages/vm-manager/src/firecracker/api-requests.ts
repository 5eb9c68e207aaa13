/** The requests of Firecracker's API that a browser VM needs, typed from its published description (1.15 to 1.17). Names are Firecracker's. */
export type TokenBucket = {
  /** Bytes or operations. */
  size: number;
  /** Milliseconds in which an empty bucket is full again. */
  refill_time: number;
  one_time_burst?: number;
};
export type RateLimiter = { bandwidth?: TokenBucket; ops?: TokenBucket };

export type MachineConfig = { vcpu_count: number; mem_size_mib: number; smt?: boolean; track_dirty_pages?: boolean };
export type BootSource = { kernel_image_path: string; initrd_path?: string; boot_args?: string };
export type Drive = {
  drive_id: string;
  is_root_device: boolean;
  is_read_only: boolean;
  path_on_host: string;
  cache_type?: 'Unsafe' | 'Writeback';
  io_engine?: 'Sync' | 'Async';
  rate_limiter?: RateLimiter;
};
export type NetworkInterface = {
  iface_id: string;
  host_dev_name: string;
  guest_mac?: string;
  rx_rate_limiter?: RateLimiter;
  tx_rate_limiter?: RateLimiter;
};
export type Vsock = { guest_cid: number; uds_path: string };
export type EntropyDevice = { rate_limiter?: RateLimiter };
export type Logger = { level: 'Error' | 'Warning' | 'Info'; show_level?: boolean; show_log_origin?: boolean };
export type InstanceAction = { action_type: 'InstanceStart' | 'SendCtrlAltDel' | 'FlushMetrics' };

/** One PUT. Plain data, for it is written down for the supervisor. */
export type FirecrackerRequest =
  | { path: '/machine-config'; body: MachineConfig }
  | { path: '/boot-source'; body: BootSource }
  | { path: `/drives/${string}`; body: Drive }
  | { path: `/network-interfaces/${string}`; body: NetworkInterface }
  | { path: '/vsock'; body: Vsock }
  | { path: '/entropy'; body: EntropyDevice }
  | { path: '/logger'; body: Logger }
  | { path: '/actions'; body: InstanceAction };
