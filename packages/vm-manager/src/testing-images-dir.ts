/** Where tests find the image that VMs start from: `TEST_IMAGES_DIR`, else where `npm test` builds it. */
import { fileURLToPath } from 'node:url';

export const TEST_IMAGES_DIR =
  process.env['TEST_IMAGES_DIR'] ?? fileURLToPath(new URL('../../../.vestibule/images', import.meta.url));
