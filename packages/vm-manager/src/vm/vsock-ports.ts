/**
 * The vsock ports of a VM, on which guest and host agree; the guest's init is told them by the drive with its configuration.
 * None is below 1024: those are root's, in the guest.
 */
export const VSOCK = {
  guestCid: 3,
  /** The guest listens: the OAuth agent, the display (RFB). */
  agentPort: 7001,
  displayPort: 7002,
  /** The host listens, the guest's init connects: lines both ways, see `lifecycle-words.ts`. */
  lifecyclePort: 7003,
} as const;
