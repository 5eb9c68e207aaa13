/** Places inside of a container that other VMs do not have. */

/** `images/guest/container-init`. */
export const CONTAINER_INIT = '/opt/vestibule/guest/container-init';
/** Where process 1 finds the two pipes to its supervisor. */
export const WIRE_DIR = '/run/supervisor';
/** The browser that every image has. */
export const IMAGE_CHROMIUM = '/usr/lib/chromium/chromium';
