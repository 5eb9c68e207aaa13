/** What the double of Firecracker needs of a machine: all that the real one does, but KVM and an image. */
export const DOUBLE_ABILITIES = ['root', 'bubblewrap', 'network', 'tun', 'cgroups', 'jails', 'uids'];
