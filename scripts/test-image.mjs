/** Builds what changed of the image that the tests' browser VMs start from: in `TEST_IMAGES_DIR`. A part of `npm test`. */
import { buildImage } from './start/prepare-runtime.mjs';

const imagesDir = process.env['TEST_IMAGES_DIR'];
if (imagesDir === undefined) throw new Error('TEST_IMAGES_DIR is not set; npm test sets it');
process.exitCode = (await buildImage(imagesDir, process.env)) ? 0 : 1;
