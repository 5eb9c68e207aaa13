/** Builds the image that the tests' browser VMs start from, unless it is there: in `TEST_IMAGES_DIR`. A part of `npm test`. */
import { ensureImage } from './start/prepare-runtime.mjs';

const imagesDir = process.env['TEST_IMAGES_DIR'];
if (imagesDir === undefined) throw new Error('TEST_IMAGES_DIR is not set; npm test sets it');
process.exitCode = (await ensureImage(imagesDir, process.env)) ? 0 : 1;
